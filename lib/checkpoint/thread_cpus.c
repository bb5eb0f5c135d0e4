/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/thread_cpus.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* In order: the first CPU of the container has the place 0. */
static struct cpuset places_of(const struct cpuset *its, const struct cpuset *container)
{
	struct cpuset places = { 0 };
	unsigned place = 0;

	cpuset_each(cpu, container) {
		if (cpuset_has(its, cpu))
			cpuset_add(&places, place);
		place++;
	}
	return places;
}

void thread_cpus_add(struct str *text, int tid, const struct cpuset *its,
		     const struct cpuset *container)
{
	const struct cpuset places = places_of(its, container);
	unsigned n = cpuset_count(&places);
	char list[CPUSET_TEXT];

	if (n == 0 || n == cpuset_count(container))
		return;
	str_addf(text, "%s%d:%s", text->n ? ";" : "", tid, cpuset_format(&places, list));
}

static bool take_number(struct slice *text, int *ret)
{
	int64_t n = 0;
	size_t i = 0;

	for (; i < text->n && text->s[i] >= '0' && text->s[i] <= '9' && n <= INT_MAX; i++)
		n = n * 10 + (text->s[i] - '0');
	*text = (struct slice){ text->s + i, text->n - i };
	*ret = (int)n;
	return n > 0 && n <= INT_MAX;
}

int thread_cpus_next(struct slice *text, int *ret_tid, struct cpuset *ret_places, struct error *err)
{
	struct slice rest = *text;
	int tid = 0;

	if (rest.n == 0)
		return 0;
	if (!take_number(&rest, &tid) || rest.n == 0 || *rest.s != ':')
		return error_set(err, -EBADMSG, "CPUs of threads: a thread's number is missing");
	const char *list = rest.s + 1;
	const char *end = memchr(list, ';', rest.n - 1);
	size_t n = end ? (size_t)(end - list) : rest.n - 1;
	size_t used = n + (end ? 1 : 0), left = (size_t)(rest.s + rest.n - list);
	if (cpuset_parse(list, n, ret_places, err) < 0 || (end && used == left))
		return error_set(err, -EBADMSG, "CPUs of thread %d: are no list of CPUs", tid);
	*ret_tid = tid;
	*text = (struct slice){ list + used, left - used };
	return 1;
}

struct cpuset thread_cpus_at(const struct cpuset *places, const struct cpuset *container)
{
	struct cpuset cpus = { 0 };
	unsigned place = 0;

	cpuset_each(cpu, container)
		if (cpuset_has(places, place++))
			cpuset_add(&cpus, cpu);
	return cpus;
}
