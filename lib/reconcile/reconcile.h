/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_RECONCILE_H
#define MCKUBE_RECONCILE_RECONCILE_H

#include "base/array.h"
#include "base/str.h"
#include "execute/to_api.h"
#include "model/request_cache.h"
#include "model/settings.h"
#include "plan/economy/held.h"
#include "reconcile/move_services.h"
#include "reconcile/optimizer_metrics.h"
#include "serve/metrics.h"
#include "signal/signals.h"

/* Passes of `watch`, one after the other: plan, log what is new, execute, count. */

enum moved { MOVED_DONE, MOVED_FAILED, MOVED_DENIED, MOVED };

struct pass_counts {
	uint64_t passes, failures; /* failures: no plan, or not all of it could be done */
	struct metric_durations plan, whole;
	uint64_t actions[ACTION_KINDS][RESULT_SKIPPED + 1]; /* by what became of them */
	uint64_t watched_kinds[ACTION_KINDS];		    /* of the last plan */
	uint64_t moves[MIGRATION_METHODS][MOVED];	    /* that were begun, since the start */
	struct metric_durations downtimes;		    /* of moves with memory */
	uint64_t unplaced[REASONS];			    /* of the last plan */
	uint64_t warnings;				    /* of the last plan */
	int64_t last_success;				    /* seconds since 1970; 0: none yet */
	int64_t last_us, last_plan_us; /* how long the last pass took, and its plan */
	uint32_t requeue_after;	       /* seconds, from the last plan; 0: no need */
	bool has_failed;	       /* the last one */
};

struct reconcile {
	/* The caller's. */
	struct kube *kube;
	const struct settings *settings;
	struct signals *signals; /* NULL: the cluster is told nothing */
	const char *ns;		 /* only what concerns it is logged; NULL: all */
	bool is_dry_run;
	struct held_moves held;		/* seconds 0: moves for money do not wait */
	struct api_options api;		/* without on_result */
	struct move_services *services; /* NULL: none */
	/* Called with api.arg between a plan, which may have taken long, and its writes. */
	void (*before_writing)(void *arg);

	struct pass_counts counts;
	struct optimizer_metrics optimizers;

	/* Private. */
	ARRAY(char *) findings;	       /* of the last pass, sorted: they are logged once */
	const struct cluster *cluster; /* of the pass under way */
	struct plan written;	       /* the last plan that was executed, until it shows */
	struct request_cache memory;   /* what the last plan read, for the next one */
};

/* One pass over the snapshot, which is always the same one, kept up. Negative when there is no
 * plan; a plan that could not be executed in full is no error, but counts.has_failed. */
int reconcile_pass(struct reconcile *r, const struct cluster *c, struct error *err);

/* Does the snapshot show everything that the last pass wrote? Before, a pass would plan it again.
 */
bool reconcile_shows(const struct reconcile *r, const struct cluster *c);

void reconcile_done(struct reconcile *r);

#endif
