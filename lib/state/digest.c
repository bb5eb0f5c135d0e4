/* SPDX-License-Identifier: Apache-2.0 */
#include "state/digest.h"

#include <stdio.h>
#include <string.h>

#include "base/sha256.h"

static void add_text(struct sha256 *hash, const char *text)
{
	sha256_add(hash, text, strlen(text) + 1);
}

static void add_meta(struct sha256 *hash, const struct cluster *c, const char *kind,
		     const struct meta *m)
{
	if (m->uid) {
		add_text(hash, cluster_str(c, m->uid));
	} else {
		add_text(hash, kind);
		add_text(hash, cluster_str(c, m->ns));
		add_text(hash, cluster_str(c, m->name));
	}
	add_text(hash, cluster_str(c, m->version));
}

#define ADD_KIND(hash, c, kind, member) \
	array_each(row, &(c)->member)   \
	add_meta(hash, c, kind, &row->meta)

/* Metrics have neither uid nor version. */
#define ADD_METRICS(hash, c, kind, member)                         \
	array_each(row, &(c)->member) {                            \
		add_meta(hash, c, kind, &row->meta);               \
		sha256_add(hash, &row->measured, sizeof(int64_t)); \
	}

void cluster_digest(struct cluster *c)
{
	struct sha256 hash = SHA256_INIT;
	char hex[SHA256_HEX];

	ADD_KIND(&hash, c, "McKube", mckubes);
	ADD_KIND(&hash, c, "Node", nodes);
	ADD_KIND(&hash, c, "Pod", pods);
	ADD_KIND(&hash, c, "PersistentVolume", volumes);
	ADD_KIND(&hash, c, "PersistentVolumeClaim", claims);
	ADD_KIND(&hash, c, "CSINode", csi_nodes);
	ADD_KIND(&hash, c, "ResourceClaim", resource_claims);
	ADD_KIND(&hash, c, "Namespace", namespaces);
	ADD_KIND(&hash, c, "Lease", helper_leases);
	ADD_METRICS(&hash, c, "NodeMetrics", node_metrics);
	ADD_METRICS(&hash, c, "PodMetrics", pod_metrics);
	ADD_KIND(&hash, c, "PodDisruptionBudget", pdbs);
	ADD_KIND(&hash, c, "PriorityClass", priority_classes);
	ADD_KIND(&hash, c, "WorkloadOptimizer", optimizers);
	ADD_KIND(&hash, c, "CostPolicy", cost_policies);
	ADD_KIND(&hash, c, "PowerPolicy", power_policies);
	ADD_KIND(&hash, c, "Deployment", deployments);
	ADD_KIND(&hash, c, "StatefulSet", stateful_sets);
	ADD_KIND(&hash, c, "ScaleTarget", scale_targets);
	ADD_KIND(&hash, c, "HorizontalPodAutoscaler", autoscalers);
	ADD_KIND(&hash, c, "ScaledObject", scaled_objects);
	array_each(sample, &c->metric_samples) {
		add_meta(&hash, c, "MetricSample", &sample->meta);
		sha256_add(&hash, &sample->at, sizeof(sample->at));
		sha256_add(&hash, &sample->value, sizeof(sample->value));
	}
	array_each(table, &c->price_tables)
		if (table->text)
			add_meta(&hash, c, "ConfigMap", &table->meta);
	sha256_finish_hex(&hash, hex);
	snprintf(c->digest, sizeof(c->digest), "sha256:%s", hex);
}
