/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/rss.h"
#include "base/str.h"
#include "output/style.h"

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct stage stage_begin(const char *name, const struct http *http)
{
	return (struct stage){
		.name = name,
		.http = http,
		.wall = seconds(CLOCK_MONOTONIC),
		.cpu = seconds(CLOCK_PROCESS_CPUTIME_ID),
		.stats = http ? http_stats(http) : (struct http_stats){ 0 },
	};
}

static void add_traffic(const struct stage *s, struct str *out)
{
	struct http_stats now = http_stats(s->http);

	str_addf(out, ", %llu requests, %llu bytes in, %llu out",
		 (unsigned long long)(now.requests - s->stats.requests),
		 (unsigned long long)(now.bytes_in - s->stats.bytes_in),
		 (unsigned long long)(now.bytes_out - s->stats.bytes_out));
}

void stage_end(const struct stage *s)
{
	double wall = seconds(CLOCK_MONOTONIC) - s->wall;
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - s->cpu;
	AUTO(str_done) struct str traffic = STR_INIT;

	if (s->http)
		add_traffic(s, &traffic);
	log_v(4, "stage %s: %.3f s, %.3f s CPU%s, %" PRIu64 " MB at most", s->name, wall, cpu,
	      traffic.s, rss_peak() >> 20);
}

void progress_lines(const char *text)
{
	for (const char *line = text; *line;) {
		AUTO(str_done) struct str out = STR_INIT;
		size_t n = strcspn(line, "\n");
		AUTO_FREE char *one = xstrndup(line, n);

		text_add(&out, one);
		fprintf(stderr, "%s\n", out.s);
		line += n + (line[n] == '\n');
	}
}
