/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_LIVE_H
#define MCKUBE_CMD_LIVE_H

#include "kube/client.h"
#include "model/settings.h"
#include "state/load.h"

/* The API server of a command, where no --snapshot stands for it. */

struct live_args {
	struct kube_overrides kube;
	int32_t qps, burst, chunk;
};

enum { PARALLEL_MAX = 256 }; /* requests at a time */

/* How requests are paced; kubectl's connection options are kube_global_options. */
extern const struct option live_options[];

struct live {
	char holder[320]; /* of Leases: kube.holder */
	struct kube_target target;
	struct kube kube;
	bool warnings_are_errors;
};

struct cli;

/* Reads the configuration; nothing is sent yet. Released with live_close(), also after an error and
 * when zeroed. */
int live_open(const struct cli *cli, struct live *ret, struct error *err);
void live_close(struct live *l);

/* With --warnings-as-errors, an error if the server warned of anything. */
int live_check_warnings(const struct live *l, struct error *err);

/* Lists what a plan reads into a new loader. */
int live_load(const struct cli *cli, struct live *l, bool with_metrics, struct loader **ret,
	      struct error *err);

/* The same as a file without a name, for commands that read the objects' text; *ret_path opens it
 * again as often as needed while the program runs. */
int live_save(const struct cli *cli, struct live *l, bool with_metrics, struct arena *arena,
	      const char **ret_path, struct error *err);

/* Reads the values of metrics that WorkloadOptimizers of the loader scale by into it. With an arena
 * *ret_path becomes a file that holds them as well, as live_save() makes one; NULL: there are none.
 */
int live_samples(struct live *l, const struct metrics_settings *settings, struct loader *loader,
		 struct arena *arena, const char **ret_path, struct error *err);

/* The same for what WorkloadOptimizers scale that is neither Deployment nor StatefulSet. */
int live_scale_targets(struct live *l, struct loader *loader, struct arena *arena,
		       const char **ret_path, struct error *err);

#endif
