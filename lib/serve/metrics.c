/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/metrics.h"

#include <stdbool.h>
#include <stdio.h>

enum { FIRST_CLASS_US = 1000, MILLION = 1000000 };

void metric_head(struct str *out, const char *name, const char *kind, const char *help)
{
	str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void add_escaped(struct str *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n') {
			str_add(out, "\\n");
			continue;
		}
		if (*value == '"' || *value == '\\')
			str_addc(out, '\\');
		str_addc(out, *value);
	}
}

/* Name and labels, `last` behind those that are given. */
static void add_name(struct str *out, const char *name, const char *suffix,
		     const struct metric_label *labels, const struct metric_label *last)
{
	char before = '{';

	str_addf(out, "%s%s", name, suffix);
	for (; labels && labels->name; labels++) {
		str_addf(out, "%c%s=\"", before, labels->name);
		add_escaped(out, labels->value);
		str_addc(out, '"');
		before = ',';
	}
	if (last)
		str_addf(out, "%c%s=\"%s\"", before, last->name, last->value);
	str_add(out, before == ',' || last ? "} " : " ");
}

void metric_add(struct str *out, const char *name, const struct metric_label *labels,
		uint64_t value)
{
	add_name(out, name, "", labels, NULL);
	str_addf(out, "%llu\n", (unsigned long long)value);
}

static void add_millionths(struct str *out, uint64_t value)
{
	str_addf(out, "%llu.%06u\n", (unsigned long long)(value / MILLION),
		 (unsigned)(value % MILLION));
}

void metric_add_millionths(struct str *out, const char *name, const struct metric_label *labels,
			   uint64_t value)
{
	add_name(out, name, "", labels, NULL);
	add_millionths(out, value);
}

void metric_add_signed(struct str *out, const char *name, const struct metric_label *labels,
		       int64_t value)
{
	add_name(out, name, "", labels, NULL);
	if (value < 0)
		str_addc(out, '-');
	add_millionths(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void metric_one(struct str *out, const char *name, const char *kind, const char *help,
		uint64_t value)
{
	metric_head(out, name, kind, help);
	metric_add(out, name, METRIC_NO_LABELS, value);
}

void metric_build_info(struct str *out, const char *name, const char *version, const char *commit)
{
	metric_head(out, name, "gauge", "1, with the version of this program and its git commit.");
	metric_add(out, name, METRIC_LABELS("version", version, "commit", commit), 1);
}

void metric_observe(struct metric_durations *d, uint64_t us)
{
	unsigned class = 0;

	while (class < METRIC_CLASSES && us > (uint64_t)FIRST_CLASS_US << class)
		class ++;
	d->counts[class]++;
	d->n++;
	d->sum_us += us;
}

void metric_add_durations(struct str *out, const char *name, const struct metric_label *labels,
			  const struct metric_durations *d)
{
	uint64_t n = 0;
	char end[16];

	for (unsigned i = 0; i <= METRIC_CLASSES; i++) {
		n += d->counts[i];
		if (i < METRIC_CLASSES)
			snprintf(end, sizeof(end), "%.3f", (double)(1u << i) / 1000);
		else
			snprintf(end, sizeof(end), "+Inf");
		add_name(out, name, "_bucket", labels, &(struct metric_label){ "le", end });
		str_addf(out, "%llu\n", (unsigned long long)n);
	}
	add_name(out, name, "_sum", labels, NULL);
	add_millionths(out, d->sum_us);
	add_name(out, name, "_count", labels, NULL);
	str_addf(out, "%llu\n", (unsigned long long)d->n);
}
