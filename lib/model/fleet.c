/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fleet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "model/measured.h"
#include "model/price_table.h"

/* Relative prices of a core, a GiB and an accelerator in an hour: OpenCost's default book. Only
 * their ratios matter here. */
enum { REF_CPU = 31611, REF_MEMORY = 4237, REF_ACCELERATOR = 950000 };

/* Prices where nothing else is known: per core, GiB, GPU and NPU, and the part of it on spot. */
enum { RATE_CPU = 50000, RATE_MEMORY = 10000, RATE_GPU = 2500000, RATE_NPU = 2000000 };
enum { SPOT_PPM = 700000, ON_DEMAND_OF_SPOT_PPM = 350000 };

static const int64_t gib = INT64_C(1) << 30;

/* ---- Accelerators ---- */

static const char *const accelerators[] = {
	"nvidia.com/gpu",  "nvidia.com/gpu.shared", "nvidia.com/mig-*", "amd.com/gpu",
	"gpu.intel.com/*", "habana.ai/gaudi",	    "google.com/tpu",	"aws.amazon.com/neuron",
	"npu.com/npu",	   "furiosa.ai/*",	    "rebellions.ai/*",	"huawei.com/Ascend*",
};

bool is_accelerator(const char *resource)
{
	for (size_t i = 0; i < ARRAY_LEN(accelerators); i++) {
		size_t n = strlen(accelerators[i]);
		bool is_prefix = accelerators[i][n - 1] == '*';

		if (is_prefix ? strncmp(resource, accelerators[i], n - 1) == 0
			      : strcmp(resource, accelerators[i]) == 0)
			return true;
	}
	return false;
}

static int64_t count_accelerators(const struct cluster *c, struct range run)
{
	int64_t n = 0;

	for (uint32_t i = 0; i < run.n; i++) {
		const struct amount *a = &c->amounts.items[run.at + i];

		if (is_accelerator(cluster_str(c, a->name)))
			n += a->value;
	}
	return n < AMOUNT_MAX ? n : AMOUNT_MAX;
}

struct load load_of_pod(const struct cluster *c, const struct pod *pod)
{
	return (struct load){ pod->cpu_milli, pod->memory, count_accelerators(c, pod->extended) };
}

/* ---- Shares ---- */

/* Amounts beyond these count as these: what a node has is less. */
static int64_t cut(int64_t v, int bits)
{
	return v < INT64_C(1) << bits ? v : (INT64_C(1) << bits) - 1;
}

static __int128 weight_of(struct load l)
{
	return (__int128)cut(l.cpu_milli, 40) * REF_CPU * gib +
	       (__int128)cut(l.memory, 48) * REF_MEMORY * 1000 +
	       (__int128)cut(l.accelerators, 20) * REF_ACCELERATOR * 1000 * gib;
}

int64_t fleet_share_of(const struct fleet_node *n, struct load load, int64_t price)
{
	__int128 cost = weight_of(load) * cut(price, FLEET_PRICE_BITS);

	return n->weight ? (int64_t)((cost + n->weight - 1) / n->weight) : 0;
}

int64_t fleet_share(const struct fleet_node *n, struct load load)
{
	return fleet_share_of(n, load, n->price);
}

/* ---- Reading ---- */

struct reader {
	struct fleet *f;
	const struct cluster *c;
	const struct settings *settings;
	struct warnings *warnings;
	struct price_rows rows;
	int64_t rates[4];		 /* CPU, memory, GPU, NPU */
	const struct measured *measured; /* by node_id */
};

static const struct measured *measured_of(const struct reader *r, const struct node *node)
{
	return &r->measured[node - r->c->nodes.items];
}

static const char *label(const struct reader *r, const struct node *node, const char *key)
{
	str_id id = intern_find(&r->c->strings, key, strlen(key));
	str_id value = id == INTERN_NONE ? INTERN_NONE : cluster_label(r->c, node->labels, id);

	return value == INTERN_NONE ? "" : cluster_str(r->c, value);
}

static str_id label_id(const struct reader *r, const struct node *node, const char *key)
{
	str_id id = intern_find(&r->c->strings, key, strlen(key));
	str_id value = id == INTERN_NONE ? INTERN_NONE : cluster_label(r->c, node->labels, id);

	return value == INTERN_NONE ? 0 : value;
}

static const char *annotation(const struct reader *r, str_id id)
{
	return id == NONE ? NULL : cluster_str(r->c, id);
}

static void warn(const struct reader *r, const struct node *node, const char *reason,
		 const char *key, const char *value, const char *what)
{
	warning_add(r->warnings, "Node", "", cluster_str(r->c, node->meta.name), reason,
		    "%s: '%.60s' %s", key, value, what);
}

static void warn_of_places(const struct reader *r, const struct node *node, const char *reason,
			   const char *key, const char *text)
{
	warn(r, node, reason, key, text, "has more than 6 decimal places: it is rounded");
}

/* A value of a label or annotation, not below 0; false, with a warning: it is none. */
static bool read_number(const struct reader *r, const struct node *node, const char *reason,
			const char *key, const char *text, const char *what, int64_t *ret)
{
	bool is_rounded = false;
	int64_t v;

	if (!decimal_parse(text, strlen(text), &v, &is_rounded) || v < 0) {
		warn(r, node, reason, key, text, what);
		return false;
	}
	if (is_rounded)
		warn_of_places(r, node, reason, key, text);
	*ret = v;
	return true;
}

/* Interruptions of a spot node in a month, ppm, where no table says more: 5 % a month on AWS, 10 %
 * a week elsewhere. */
enum { MONTHLY_AWS = 50000, MONTHLY_OTHERS = 434524 };

/* Labels that give the capacity type of a node; the first takes precedence. */
static const struct {
	const char *key, *spot, *on_demand, *reserved;
	int32_t monthly;
} capacity_labels[] = {
	{ "karpenter.sh/capacity-type", "spot", "on-demand", "reserved", MONTHLY_AWS },
	{ "eks.amazonaws.com/capacityType", "SPOT", "ON_DEMAND", "CAPACITY_BLOCK", MONTHLY_AWS },
	{ "cloud.google.com/gke-spot", "true", "false", "", MONTHLY_OTHERS },
	{ "cloud.google.com/gke-preemptible", "true", "false", "", MONTHLY_OTHERS },
	{ "cloud.google.com/gke-provisioning", "spot", "standard", "", MONTHLY_OTHERS },
	{ "kubernetes.azure.com/scalesetpriority", "spot", "regular", "", MONTHLY_OTHERS },
	{ "lifecycle", "spot", "normal", "", MONTHLY_AWS },
	{ "node.kubernetes.io/lifecycle", "spot", "normal", "", MONTHLY_AWS },
	{ "node-lifecycle", "spot", "on-demand", "", MONTHLY_AWS },
};

static bool is_spot_of_aws(const char *lifecycle)
{
	return strcmp(lifecycle, "Ec2Spot") == 0 || strcmp(lifecycle, "EC2Spot") == 0;
}

static void read_capacity_type(const struct reader *r, const struct node *node,
			       struct fleet_node *n)
{
	const char *by = NULL;

	for (size_t i = 0; i < ARRAY_LEN(capacity_labels); i++) {
		const char *value = label(r, node, capacity_labels[i].key);
		int type = -1;

		if (*value && (strcmp(value, capacity_labels[i].spot) == 0 ||
			       strcmp(value, "preemptible") == 0 || is_spot_of_aws(value)))
			type = CAPACITY_SPOT;
		else if (*value && strcmp(value, capacity_labels[i].on_demand) == 0)
			type = CAPACITY_ON_DEMAND;
		else if (*value && strcmp(value, capacity_labels[i].reserved) == 0)
			type = CAPACITY_RESERVED;
		if (type < 0)
			continue;
		if (by && type != n->capacity_type)
			warning_add(r->warnings, "Node", "", cluster_str(r->c, node->meta.name),
				    "SpotLabels", "%s=%s contradicts %s, which takes precedence",
				    capacity_labels[i].key, value, by);
		if (!by) {
			n->capacity_type = (uint8_t)type;
			n->monthly = type == CAPACITY_SPOT ? capacity_labels[i].monthly : 0;
		}
		by = by ? by : capacity_labels[i].key;
	}
}

static void read_pool(const struct reader *r, const struct node *node, struct fleet_node *n)
{
	static const char *const keys[] = {
		"karpenter.sh/nodepool",
		"eks.amazonaws.com/nodegroup",
		"cloud.google.com/gke-nodepool",
		"kubernetes.azure.com/agentpool",
	};
	const char *removable = annotation(r, node->annotations.removable);
	const char *kept = annotation(r, node->annotations.keeps_running);

	for (size_t i = 0; i < ARRAY_LEN(keys) && !n->pool; i++) {
		n->pool = label_id(r, node, keys[i]);
		n->is_consolidated = n->pool && i == 0;
	}
	n->is_removable = removable ? strcmp(removable, "true") == 0 : n->pool != 0;
	n->is_kept = kept && strcmp(kept, "true") == 0;
}

static void read_leaving(const struct reader *r, const struct node *node, struct fleet_node *n)
{
	static const struct {
		const char *key;
		bool is_soon;
	} taints[] = {
		{ "aws-node-termination-handler/spot-itn", true },
		{ "aws-node-termination-handler/rebalance-recommendation", true },
		{ "aws-node-termination-handler/scheduled-maintenance", false },
		{ "aws-node-termination-handler/asg-lifecycle-termination", false },
		{ "cloud.google.com/impending-node-termination", true },
		{ "remediator.aks.microsoft.com/unschedulable", true },
		{ "karpenter.sh/disrupted", false },
		{ "ToBeDeletedByClusterAutoscaler", false },
		{ "DeletionCandidateOfClusterAutoscaler", false },
		{ "node.kubernetes.io/out-of-service", false },
	};

	for (uint32_t i = 0; i < node->taints.n; i++) {
		const struct taint *t = &r->c->taints.items[node->taints.at + i];
		const char *key = cluster_str(r->c, t->key);

		for (size_t k = 0; k < ARRAY_LEN(taints); k++) {
			if (strcmp(key, taints[k].key) != 0)
				continue;
			n->leaving = t->key;
			n->is_interrupted =
				n->is_interrupted ||
				(taints[k].is_soon && n->capacity_type == CAPACITY_SPOT);
		}
	}
}

/* ---- Prices ---- */

static const char *const capacity_words[] = { "on-demand", "spot", "reserved" };

static const struct price_row *find_row(const struct reader *r, const struct node *node,
					enum capacity_type capacity, enum price_want want)
{
	const char *type = label(r, node, "node.kubernetes.io/instance-type");

	if (!*type)
		type = label(r, node, "beta.kubernetes.io/instance-type");
	return price_rows_find(&r->rows, type, label(r, node, "topology.kubernetes.io/region"),
			       label(r, node, "topology.kubernetes.io/zone"),
			       capacity_words[capacity], want);
}

static bool read_price(const struct reader *r, const struct node *node, const char *key,
		       const char *text, int64_t *ret)
{
	return text && *text &&
	       read_number(r, node, "BadPrice", key, text, "is not a price in dollars per hour",
			   ret);
}

static int64_t assumed_price(const struct reader *r, const struct node *node,
			     const struct fleet_node *n)
{
	int64_t each = 0;
	const char *text = label(r, node, "accelerator.cost-per-hour");
	__int128 price = (__int128)node->capacity_cpu_milli * r->rates[0] / 1000 +
			 (__int128)node->capacity_memory * r->rates[1] / gib;
	bool has_each = read_price(r, node, "accelerator.cost-per-hour", text, &each);

	for (uint32_t i = 0; i < node->capacity_extended.n; i++) {
		const struct amount *a = &r->c->amounts.items[node->capacity_extended.at + i];
		const char *name = cluster_str(r->c, a->name);
		bool is_gpu = strstr(name, "gpu") != NULL || strstr(name, "mig") != NULL;

		if (is_accelerator(name))
			price += (__int128)a->value * (has_each ? each : r->rates[is_gpu ? 2 : 3]);
	}
	if (n->capacity_type == CAPACITY_SPOT)
		price = price * SPOT_PPM / PPM;
	return price < DECIMAL_MAX ? (int64_t)price : DECIMAL_MAX;
}

/* Shares are parts of the whole price, so a greater one than they are made of counts nowhere. */
static int64_t bounded_price(const struct reader *r, const struct node *node, int64_t price)
{
	if (price <= FLEET_PRICE_MAX)
		return price;
	warning_add(r->warnings, "Node", "", cluster_str(r->c, node->meta.name), "BadPrice",
		    "costs %" PRId64 " dollars per hour: %" PRId64 ", the most that is known, "
		    "count",
		    price / PPM, FLEET_PRICE_MAX / PPM);
	return FLEET_PRICE_MAX;
}

static void read_node_price(const struct reader *r, const struct node *node, struct fleet_node *n)
{
	const struct price_row *row = find_row(r, node, n->capacity_type, WANT_PRICE);
	const struct price_row *full = find_row(r, node, CAPACITY_ON_DEMAND, WANT_PRICE);
	const struct measured *measured = measured_of(r, node);

	if (read_price(r, node, NODE_ANNOTATION(price), annotation(r, node->annotations.price),
		       &n->price)) {
		/* as it says */
	} else if (row) {
		n->price = row->price;
	} else if (measured->price >= 0) {
		n->price = measured->price;
	} else {
		n->price = assumed_price(r, node, n);
		n->is_price_assumed = true;
	}
	n->price = bounded_price(r, node, n->price);
	n->on_demand = n->price;
	if (n->capacity_type == CAPACITY_SPOT)
		n->on_demand = full ? full->price
				    : (int64_t)((__int128)n->price * PPM / ON_DEMAND_OF_SPOT_PPM);
	n->on_demand = cut(n->on_demand, FLEET_PRICE_BITS);
}

static void read_interruptions(const struct reader *r, const struct node *node,
			       struct fleet_node *n)
{
	const struct price_row *row = n->capacity_type == CAPACITY_SPOT
					      ? find_row(r, node, CAPACITY_SPOT, WANT_INTERRUPTIONS)
					      : NULL;

	if (!row)
		return;
	n->monthly = (int32_t)(row->interruptions < INT32_MAX ? row->interruptions : INT32_MAX);
	n->is_monthly_known = true;
}

/* An on-demand node of the same type in the snapshot says what a spot node would cost. */
static void find_on_demand_peers(const struct reader *r)
{
	AUTO_FREE node_id *first = xcalloc(r->c->strings.n + 1, sizeof(*first)); /* plus 1 */

	for (node_id id = 0; id < r->c->nodes.n; id++) {
		const struct fleet_node *n = &r->f->nodes[id];

		if (n->type && n->capacity_type == CAPACITY_ON_DEMAND && !first[n->type])
			first[n->type] = id + 1;
	}
	for (node_id id = 0; id < r->c->nodes.n; id++) {
		struct fleet_node *n = &r->f->nodes[id];

		if (n->capacity_type == CAPACITY_SPOT && n->type && first[n->type])
			n->on_demand = r->f->nodes[first[n->type] - 1].price;
	}
}

/* ---- Power ---- */

/* As large as it is measured, or as assumed: the shape is that of the default. */
static void assume_power(const struct reader *r, const struct node *node, struct fleet_node *n)
{
	int64_t max = 50000 + 15 * node->capacity_cpu_milli +
		      (int64_t)((__int128)node->capacity_memory * 500 / gib);

	n->curve = power_curve_line(max * 3 / 10, max);
	n->is_power_assumed =
		!measured_curve(measured_of(r, node), node->capacity_cpu_milli, &n->curve);
}

/* From its annotation, or what a table says of its type, or of the node itself. */
static bool read_curve(const struct reader *r, const struct node *node, struct fleet_node *n)
{
	const char *text = annotation(r, node->annotations.power_curve);
	const struct price_row *row = find_row(r, node, n->capacity_type, WANT_POWER);
	const struct power_curve *curve =
		row ? &row->curve
		    : price_rows_find_node(&r->rows, cluster_str(r->c, node->meta.name));
	bool is_rounded = false;

	if (text && power_curve_parse(text, &n->curve, &is_rounded)) {
		if (is_rounded)
			warn_of_places(r, node, "BadPower", NODE_ANNOTATION(power_curve), text);
		return true;
	}
	if (text)
		warn(r, node, "BadPower", NODE_ANNOTATION(power_curve), text,
		     "is not a curve such as 0:8.8,1:39.9");
	if (curve)
		n->curve = *curve;
	return curve;
}

static void read_node_power(const struct reader *r, const struct node *node, struct fleet_node *n)
{
	const char *watts = label(r, node, "accelerator.power-watts");
	int64_t each = 300 * INT64_C(1000000);

	if (read_curve(r, node, n))
		return;
	assume_power(r, node, n);
	if (!*watts)
		return;
	n->has_watts = true;
	read_number(r, node, "BadPower", "accelerator.power-watts", watts,
		    "is not a power in watts", &each);
	n->accelerator_max = each / 1000;
}

static void read_carbon(const struct reader *r, const struct node *node, struct fleet_node *n)
{
	const char *text = annotation(r, node->annotations.carbon);
	const struct price_row *carbon = find_row(r, node, n->capacity_type, WANT_CARBON);
	const struct price_row *green = find_row(r, node, n->capacity_type, WANT_GREEN);
	int64_t grams;

	if (strcmp(label(r, node, "energy-source"), "renewable") == 0)
		n->green_ppm = PPM;
	else if (green)
		n->green_ppm = (int32_t)green->green;
	if (carbon)
		n->carbon = carbon->carbon / 1000;
	if (text && read_number(r, node, "BadPower", NODE_ANNOTATION(carbon), text,
				"is not grams of carbon dioxide per kWh", &grams))
		n->carbon = grams / 1000;
}

static void read_node(const struct reader *r, node_id id)
{
	const struct node *node = &r->c->nodes.items[id];
	struct fleet_node *n = &r->f->nodes[id];
	struct load all = { node->capacity_cpu_milli, node->capacity_memory,
			    count_accelerators(r->c, node->capacity_extended) };

	n->n_accelerators = all.accelerators;
	n->weight = weight_of(all);
	n->arch = label_id(r, node, "kubernetes.io/arch");
	n->type = label_id(r, node, "node.kubernetes.io/instance-type");
	n->zone = label_id(r, node, "topology.kubernetes.io/zone");
	read_capacity_type(r, node, n);
	read_pool(r, node, n);
	read_leaving(r, node, n);
	read_node_price(r, node, n);
	read_interruptions(r, node, n);
	read_node_power(r, node, n);
	read_carbon(r, node, n);
}

static void read_tables(struct reader *r)
{
	const char *want = r->settings->optimise.prices, *slash = strchr(want, '/');
	bool is_there = false;

	array_each(table, &r->c->price_tables) {
		const char *ns = cluster_str(r->c, table->meta.ns);
		const char *name = cluster_str(r->c, table->meta.name);
		size_t n = strlen(ns);

		if (strncmp(want, ns, n) != 0 || want[n] != '/' || strcmp(want + n + 1, name) != 0)
			continue;
		is_there = true;
		const char *text = cluster_str(r->c, table->text);
		const char *end = text + intern_len(&r->c->strings, table->text);
		for (; text < end; text += strlen(text) + 1)
			price_rows_read(&r->rows, text, strlen(text), ns, name, r->warnings);
	}
	if (*want && !is_there)
		warning_add(r->warnings, "ConfigMap", "", want, "BadPrice",
			    "not found%s; optimise.prices names it",
			    slash && strcmp(slash + 1, KCLOUD_PRICES) == 0
				    ? ""
				    : " (of a cluster only those named " KCLOUD_PRICES
				      " are read)");
}

/* The first policy that gives a rate. */
static void read_rates(struct reader *r)
{
	const int64_t book[] = { RATE_CPU, RATE_MEMORY, RATE_GPU, RATE_NPU };

	memcpy(r->rates, book, sizeof(book));
	array_each(p, &r->c->cost_policies) {
		const int64_t own[] = { p->cpu_rate, p->memory_rate, p->gpu_rate, p->npu_rate };
		bool has_any = false;

		for (size_t i = 0; i < ARRAY_LEN(own); i++) {
			has_any |= own[i] >= 0;
			r->rates[i] = own[i] >= 0 ? own[i] : book[i];
		}
		if (has_any)
			return;
	}
}

/* One warning for all of them. */
static void warn_of_assumed(const struct reader *r)
{
	uint32_t n = 0;
	node_id first = NONE;

	for (node_id id = 0; id < r->c->nodes.n; id++) {
		if (!r->f->nodes[id].is_price_assumed)
			continue;
		first = first == NONE ? id : first;
		n++;
	}
	if (n)
		warning_add(r->warnings, "Node", "",
			    cluster_str(r->c, r->c->nodes.items[first].meta.name), "AssumedPrice",
			    "no price is known of %u node%s: what %s cost%s is assumed by size", n,
			    n == 1 ? "" : "s", n == 1 ? "it" : "they", n == 1 ? "s" : "");
}

void fleet_read(struct fleet *f, const struct cluster *c, const struct settings *settings,
		struct warnings *warnings)
{
	AUTO_FREE struct measured *measured = measured_read(c);
	struct reader r = {
		.f = f, .c = c, .settings = settings, .warnings = warnings, .measured = measured
	};

	*f = (struct fleet){ c, xcalloc(c->nodes.n + 1, sizeof(*f->nodes)) };
	read_tables(&r);
	read_rates(&r);
	for (node_id id = 0; id < c->nodes.n; id++)
		read_node(&r, id);
	find_on_demand_peers(&r);
	warn_of_assumed(&r);
	price_rows_done(&r.rows);
}

void fleet_done(struct fleet *f)
{
	free(f->nodes);
	*f = (struct fleet){ 0 };
}
