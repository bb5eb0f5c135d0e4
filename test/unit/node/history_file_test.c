/* SPDX-License-Identifier: Apache-2.0 */
#include "node/history_file.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/file.h"
#include "budget/replay.h"
#include "test/unit/node/fake_engine.h"

static const int64_t second_ns = 1000000000;
static const int64_t wall_us = INT64_C(1795251600000000);

static const char cgroup[] = "kubepods/podp1/c1";
static struct use_count counted;

static bool count_use(const struct overruns *o, uint64_t id, struct use_count *ret)
{
	(void)o;
	(void)id;
	*ret = counted;
	return true;
}

struct recorded {
	struct fixture f;
	struct overrun_source source;
	struct history_file file;
	char path[128], before[136];
	int64_t start_ns;
};

static void begin(struct recorded *r, int64_t max_bytes)
{
	history_file_begin(&r->file, r->path, max_bytes, "front", r->start_ns, wall_us);
}

static void start(struct recorded *r, int64_t max_bytes)
{
	memset(&counted, 0, sizeof(counted));
	fixture_init(&r->f);
	r->source = fake_source;
	r->source.use = count_use;
	r->f.overruns.source = &r->source;
	give_root(&r->f);
	assert_int_equal(set(&r->f, "p1", LEVEL_HIGH, 200000, 500000, cgroup, NULL), 0);
	snprintf(r->path, sizeof(r->path), "%s/history", r->f.tree.root);
	snprintf(r->before, sizeof(r->before), "%s.1", r->path);
	r->start_ns = clock_ns();
	r->file = (struct history_file){ 0 };
	begin(r, max_bytes);
}

static void end(struct recorded *r)
{
	history_file_end(&r->file);
	fixture_done(&r->f);
}

static int take(struct recorded *r, int64_t second)
{
	struct error err = ERROR_INIT;

	return history_file_take(&r->file, &r->f.engine, r->start_ns + second * second_ns, &err);
}

static size_t add(const char *path, struct history *h)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct error err = ERROR_INIT;

	assert_int_equal(file_read(path, &text, &err), 0);
	if (history_add(h, (struct slice){ text.s, text.n }, &err) < 0)
		fail_msg("%s", err.msg);
	return text.n;
}

static size_t count(const struct history *h, enum history_kind kind)
{
	size_t n = 0;

	array_each(line, &h->lines)
		n += line->kind == kind;
	return n;
}

TEST(nothing_is_recorded_unless_asked_for)
{
	struct fixture f;
	struct history_file none = { 0 };
	struct error err;

	fixture_init(&f);
	assert_int_equal(history_file_take(&none, &f.engine, clock_ns(), &err), 0);
	history_file_end(&none);
	fixture_done(&f);
}

TEST(what_is_recorded_can_be_replayed)
{
	AUTO(history_done) struct history h = { 0 };
	AUTO(replay_done) struct replay replay = { 0 };
	struct recorded r;

	start(&r, 1 << 20);
	take(&r, 0);
	overrun(&r.f, cgroup);
	overrun(&r.f, cgroup);
	counted.periods = counted.by_use[use_bucket(210000)] = 30;
	assert_int_equal(take(&r, 60), 0);
	assert_int_equal(take(&r, 61), 0); /* nothing new */
	engine_remove_pod(&r.f.engine, "p1");
	take(&r, 62);
	add(r.path, &h);
	end(&r);
	assert_int_equal(count(&h, HISTORY_NODE), 1);
	assert_int_equal(count(&h, HISTORY_POD), 1);
	assert_int_equal(count(&h, HISTORY_OVERRUN), 1);
	assert_int_equal(count(&h, HISTORY_LEVEL), 1);
	assert_int_equal(count(&h, HISTORY_USE), 1);
	assert_int_equal(count(&h, HISTORY_GONE), 1);
	assert_int_equal(h.lines.items[0].at_us, wall_us);
	assert_int_equal(replay_run(&h, 900000, &replay, NULL), 0);
	const struct replay_pod *p = replay_find(&replay, "default", "p1");
	assert_non_null(p);
	assert_int_equal(p->overruns, 2);
	assert_int_equal(p->recorded.times[LEVEL_HIGH], 1);
	assert_int_equal(p->replayed.times[LEVEL_HIGH], 1);
	assert_int_equal(p->periods, 30);
	assert_int_equal(p->enough[0].us, use_bucket_end(use_bucket(210000)));
	assert_int_equal(p->known_us, 62 * INT64_C(1000000));
}

TEST(the_end_writes_the_use_of_the_last_minute)
{
	AUTO(history_done) struct history h = { 0 };
	struct error err = ERROR_INIT;
	struct recorded r;

	start(&r, 1 << 20);
	take(&r, 0);
	counted.periods = counted.by_use[use_bucket(210000)] = 30;
	take(&r, 7);
	add(r.path, &h);
	assert_int_equal(count(&h, HISTORY_USE), 0);
	history_done(&h);
	h = (struct history){ 0 };
	assert_int_equal(
		history_file_finish(&r.file, &r.f.engine, r.start_ns + 8 * second_ns, &err), 0);
	add(r.path, &h);
	end(&r);
	assert_int_equal(count(&h, HISTORY_USE), 1);
	array_each(line, &h.lines)
		if (line->kind == HISTORY_USE)
			assert_int_equal(line->span_us, 8000000);
}

TEST(two_files_are_all_that_is_kept)
{
	enum { MAX = 2048, ROUNDS = 100 };
	AUTO(history_done) struct history h = { 0 };
	struct recorded r;

	start(&r, MAX);
	for (int second = 0; second < ROUNDS; second++) {
		overrun(&r.f, cgroup);
		assert_int_equal(take(&r, second), 0);
	}
	assert_in_range(add(r.before, &h), 1, MAX);
	assert_in_range(add(r.path, &h), 1, MAX);
	end(&r);
	assert_int_equal(count(&h, HISTORY_NODE), 2);
	assert_in_range(count(&h, HISTORY_OVERRUN), 10, ROUNDS);
}

TEST(a_full_disk_is_said_once_and_lost_lines_are_counted)
{
	AUTO(history_done) struct history h = { 0 };
	struct recorded r;
	struct rlimit was, small;

	start(&r, 1 << 20);
	assert_int_equal(take(&r, 0), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = (rlim_t)r.file.size + 20; /* in the middle of a line */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	overrun(&r.f, cgroup);
	assert_int_equal(take(&r, 1), -EFBIG);
	overrun(&r.f, cgroup);
	assert_int_equal(take(&r, 2), 0); /* said already */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(runtime_of(&r.f, cgroup), 500000);
	overrun(&r.f, cgroup);
	assert_int_equal(take(&r, 3), 0);
	add(r.path, &h);
	end(&r);
	assert_int_equal(count(&h, HISTORY_NODE), 2);
	assert_int_equal(count(&h, HISTORY_LOST), 1);
	array_each(line, &h.lines)
		if (line->kind == HISTORY_LOST)
			assert_int_equal(line->count, 3); /* two overruns and a level */
}

TEST(a_file_is_gone_on_with_where_its_last_whole_line_ends)
{
	AUTO(history_done) struct history h = { 0 };
	struct recorded r;

	start(&r, 1 << 20);
	take(&r, 0);
	history_file_end(&r.file);
	FILE *f = fopen(r.path, "a");
	assert_non_null(f);
	fputs("{\"kind\":\"over", f);
	fclose(f);
	begin(&r, 1 << 20);
	r.file.since_us++; /* another run */
	take(&r, 1);
	add(r.path, &h);
	end(&r);
	assert_int_equal(count(&h, HISTORY_NODE), 2);
	assert_int_equal(count(&h, HISTORY_POD), 2);
	assert_int_equal(h.lines.n, 4);
}

TEST(what_is_no_regular_file_is_not_written)
{
	struct recorded r;

	start(&r, 1 << 20);
	assert_int_equal(mkfifo(r.path, 0600), 0);
	assert_int_equal(take(&r, 0), -EINVAL);
	assert_int_equal(unlink(r.path) | symlink("/dev/null", r.path), 0);
	r.file.is_failed = false;
	overrun(&r.f, cgroup);
	assert_int_equal(take(&r, 1), -ELOOP);
	end(&r);
}

TEST(pods_that_stay_are_not_said_again)
{
	AUTO(history_done) struct history h = { 0 };
	struct recorded r;

	start(&r, 1 << 20);
	assert_int_equal(set(&r.f, "p2", LEVEL_LOW, 100000, 100000, "kubepods/podp2/c2", NULL), 0);
	assert_int_equal(take(&r, 0), 0);
	engine_remove_pod(&r.f.engine, "p1");
	assert_int_equal(take(&r, 1), 0);
	assert_int_equal(set(&r.f, "p1", LEVEL_HIGH, 200000, 500000, cgroup, NULL), 0);
	assert_int_equal(take(&r, 2), 0);
	assert_int_equal(take(&r, 3), 0);
	add(r.path, &h);
	end(&r);
	assert_int_equal(count(&h, HISTORY_GONE), 1);
	assert_int_equal(count(&h, HISTORY_POD), 3);
}
