/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/history.h"

#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/decode.h"
#include "base/json_out.h"

static const char *const kinds[] = {
	"node", "pod", "gone", "overrun", "level", "use", "lost", NULL
};
static const char *const scopes[] = { "core", "node", NULL };
static const char *const criticalities[] = { "Low", "Middle", "High", NULL };
static const char *const levels[] = { "low", "medium", "hi", NULL };
static const char *const enforcements[] = { "", "watch", "raise", NULL };

/* ---- Reading ---- */

enum {
	US_MAX = PERIOD_MAX_US,
	DAY_MS = 86400000,
	CALM_PERIODS_MAX = 100000,
	HEADROOM_MAX_US = 100000,
};

struct range {
	int64_t min, max;
};

static int read_number(struct decoder *d, struct range range, int64_t *ret)
{
	int r = decode_i64(d, ret);

	if (r == 0 && (*ret < range.min || *ret > range.max))
		return decode_refuse(d, "must be from %lld to %lld", (long long)range.min,
				     (long long)range.max);
	return r;
}

/* Rows say the range. */
static int read_32(struct decoder *d, const struct field *f, void *into)
{
	int64_t n;
	int r = read_number(d, *(const struct range *)f->more, &n);

	if (r == 0)
		*(int32_t *)into = (int32_t)n;
	return r;
}

static int read_64(struct decoder *d, const struct field *f, void *into)
{
	return read_number(d, *(const struct range *)f->more, into);
}

static int read_word(struct decoder *d, const struct field *f, void *into)
{
	str_id id;
	int r = decode_id(d, &id);

	(void)f;
	if (r == 0)
		*(const char **)into = intern_str(d->strings, id);
	return r;
}

static int read_cores(struct decoder *d, const struct field *f, void *into)
{
	struct slice text;
	int r = decode_text(d, &text);

	(void)f;
	if (r == 0 && cpuset_parse(text.s, text.n, into, NULL) < 0)
		return decode_refuse(d, "must be a list of CPUs");
	return r;
}

static int read_recovery(struct decoder *d, const struct field *f, void *into)
{
	const char *text;
	int r = read_word(d, f, &text);

	if (r == 0 && !recovery_parse(text, into))
		return decode_refuse(d, "must be the text of a recovery");
	return r;
}

struct uses {
	struct history_use *items;
	size_t n, cap;
	struct history_use last;
	unsigned n_numbers;
};

static int read_use_number(struct decoder *d, void *arg)
{
	struct uses *u = arg;
	int64_t *into = u->n_numbers ? &u->last.periods : &u->last.us;
	const struct range range = { u->n_numbers, u->n_numbers ? HISTORY_COUNT_MAX : UINT32_MAX };

	if (u->n_numbers++ >= 2)
		return decode_refuse(d, "must be the second and last number");
	return read_number(d, range, into);
}

static int read_use(struct decoder *d, void *arg)
{
	struct uses *u = arg;
	int64_t before_us = u->n ? u->last.us : -1;

	u->n_numbers = 0;
	int r = decode_list(d, read_use_number, u);
	if (r < 0)
		return r;
	if (u->n_numbers != 2 || u->last.us <= before_us || u->n >= USE_BUCKETS)
		return decode_refuse(d, "must be up to %d pairs of us and periods, rising",
				     USE_BUCKETS);
	*array_add(u) = u->last;
	return 0;
}

static int read_uses(struct decoder *d, const struct field *f, void *into)
{
	struct history_line *line = into;
	struct uses u = { 0 };
	int r = decode_list(d, read_use, &u);

	(void)f;
	if (r == 0 && u.n) {
		struct history_use *uses = arena_new(d->owner, struct history_use, u.n);

		memcpy(uses, u.items, u.n * sizeof(*uses));
		line->uses = uses;
		line->n_uses = u.n;
	}
	array_done(&u);
	return r;
}

static const struct range any_32 = { INT32_MIN, INT32_MAX }, a_time = { 1, HISTORY_TIME_MAX },
			  a_count = { 1, HISTORY_COUNT_MAX }, a_span = { 1, HISTORY_SPAN_MAX },
			  a_runtime = { 1, US_MAX }, a_period = { PERIOD_MIN_US, PERIOD_MAX_US },
			  a_share = { 1, PPM }, a_dwell = { 0, DAY_MS },
			  calm_range = { 1, CALM_PERIODS_MAX },
			  headroom_range = { 0, HEADROOM_MAX_US }, used_range = { 0, UINT32_MAX };

#define LINE(key, read, member, ...) FIELD_MORE(key, read, struct history_line, member, __VA_ARGS__)

enum {
	ROW_KIND,
	ROW_AT,
	ROW_NODE,
	ROW_SINCE,
	ROW_SCOPE,
	ROW_CAP,
	ROW_DWELL,
	ROW_DWELL_MAX,
	ROW_CALM_PERIODS,
	ROW_HEADROOM,
	ROW_UID,
	ROW_NAMESPACE,
	ROW_NAME,
	ROW_CRITICALITY,
	ROW_PRIORITY,
	ROW_PERIOD,
	ROW_LOW,
	ROW_MEDIUM,
	ROW_HI,
	ROW_FLOOR,
	ROW_CORES,
	ROW_ENFORCEMENT,
	ROW_RECOVERY,
	ROW_LEVEL,
	ROW_IS_CUT,
	ROW_COUNT,
	ROW_USED,
	ROW_CONTAINER,
	ROW_SHARE,
	ROW_SPAN,
	ROW_RUNTIME,
	ROW_USES,
	ROWS
};

static const struct field fields[ROWS + 1] = {
	[ROW_KIND] = LINE("kind", read_choice, kind, kinds),
	[ROW_AT] = LINE("atUs", read_64, at_us, &a_time),
	[ROW_NODE] = LINE("node", read_word, node, NULL),
	[ROW_SINCE] = LINE("sinceUs", read_64, since_us, &a_time),
	[ROW_SCOPE] = LINE("scope", read_choice, scope, scopes),
	[ROW_CAP] = LINE("capPpm", read_32, cap, &a_share),
	[ROW_DWELL] = LINE("dwellMs", read_32, dwell_ms, &a_dwell),
	[ROW_DWELL_MAX] = LINE("dwellMaxMs", read_32, dwell_max_ms, &a_dwell),
	[ROW_CALM_PERIODS] = LINE("calmPeriods", read_32, calm_periods, &calm_range),
	[ROW_HEADROOM] = LINE("headroomUs", read_32, headroom_us, &headroom_range),
	[ROW_UID] = LINE("uid", read_word, uid, NULL),
	[ROW_NAMESPACE] = LINE("namespace", read_word, ns, NULL),
	[ROW_NAME] = LINE("name", read_word, name, NULL),
	[ROW_CRITICALITY] = LINE("criticality", read_choice, budget.criticality, criticalities),
	[ROW_PRIORITY] = LINE("priority", read_32, priority, &any_32),
	[ROW_PERIOD] = LINE("periodUs", read_32, budget.period, &a_period),
	[ROW_LOW] = LINE("lowUs", read_32, budget.low, &a_runtime),
	[ROW_MEDIUM] = LINE("mediumUs", read_32, budget.medium, &a_runtime),
	[ROW_HI] = LINE("hiUs", read_32, budget.hi, &a_runtime),
	[ROW_FLOOR] = LINE("floorUs", read_32, budget.floor, &a_runtime),
	[ROW_CORES] = LINE("cores", read_cores, cores, NULL),
	[ROW_ENFORCEMENT] = LINE("enforcement", read_choice, enforcement, enforcements),
	[ROW_RECOVERY] = LINE("recovery", read_recovery, recovery, NULL),
	[ROW_LEVEL] = LINE("level", read_choice, level, levels),
	[ROW_IS_CUT] = LINE("isCut", read_bool, is_cut, NULL),
	[ROW_COUNT] = LINE("count", read_64, count, &a_count),
	[ROW_USED] = LINE("usedUs", read_64, used_us, &used_range),
	[ROW_CONTAINER] = LINE("container", read_word, container, NULL),
	[ROW_SHARE] = LINE("sharePpm", read_32, share, &a_share),
	[ROW_SPAN] = LINE("spanUs", read_64, span_us, &a_span),
	[ROW_RUNTIME] = LINE("runtimeUs", read_32, runtime_us, &a_runtime),
	[ROW_USES] = FIELD_WHOLE("uses", read_uses, NULL),
};

#define BIT(row)	  (UINT64_C(1) << (row))
#define BITS(first, last) (BIT((last) + 1) - BIT(first))

/* The members of each kind. */
static const uint64_t members[HISTORY_KINDS] = {
	[HISTORY_NODE] = BITS(ROW_NODE, ROW_HEADROOM),
	[HISTORY_POD] = BITS(ROW_UID, ROW_IS_CUT),
	[HISTORY_GONE] = BIT(ROW_UID),
	[HISTORY_OVERRUN] = BIT(ROW_UID) | BITS(ROW_COUNT, ROW_USED),
	[HISTORY_LEVEL] = BIT(ROW_UID) | BITS(ROW_LEVEL, ROW_IS_CUT),
	[HISTORY_USE] = BIT(ROW_UID) | BITS(ROW_CONTAINER, ROW_USES),
	[HISTORY_LOST] = BIT(ROW_COUNT),
};
static const uint64_t optional = BIT(ROW_MEDIUM) | BIT(ROW_RECOVERY);

static int check_members(const struct history_line *line, uint64_t seen, struct error *err)
{
	const uint64_t always = BITS(ROW_KIND, ROW_AT);
	uint64_t own = always | (seen & BIT(ROW_KIND) ? members[line->kind] : 0);
	uint64_t missing = own & ~optional & ~seen, odd = seen & ~own;

	if (missing)
		return error_set(err, -EINVAL, "%s: is missing",
				 fields[__builtin_ctzll(missing)].key);
	if (odd)
		return error_set(err, -EINVAL, "%s: is no member of kind %s",
				 fields[__builtin_ctzll(odd)].key, kinds[line->kind]);
	return 0;
}

static int check_budget(const struct budget *b, struct error *err)
{
	int32_t middle = b->medium ? b->medium : b->low;

	if (b->floor > b->low || b->low > middle || middle > b->hi || b->hi > b->period)
		return error_set(err, -EINVAL,
				 "lowUs: budgets must be floorUs <= lowUs <= mediumUs <= hiUs <= "
				 "periodUs");
	return 0;
}

int history_read(struct slice text, struct intern *strings, struct arena *arena,
		 struct history_line *ret, struct error *err)
{
	AUTO(decoder_done) struct decoder d;
	uint64_t seen = 0;

	*ret = (struct history_line){ .recovery = RECOVERY_DEFAULT };
	decoder_init(&d, strings);
	d.unknown = "is not part of a history";
	d.owner = arena;
	decoder_start(&d, text);
	int r = decode_members(&d, fields, ret, &seen);
	if (decoder_end(&d, r, text, err) < 0 || check_members(ret, seen, err) < 0)
		return err->code;
	return ret->kind == HISTORY_POD ? check_budget(&ret->budget, err) : 0;
}

static int check_order(const struct history *h, const struct history_line *line, struct error *err)
{
	if (h->lines.n == 0 && line->kind != HISTORY_NODE)
		return error_set(err, -EINVAL, "kind: must be node at the beginning");
	if (line->kind == HISTORY_NODE && h->lines.n &&
	    strcmp(line->node, h->lines.items[0].node) != 0)
		return error_set(err, -EINVAL, "node: is %s, the lines before are of %s",
				 line->node, h->lines.items[0].node);
	if (h->lines.n == 0 || line->at_us >= h->lines.items[h->lines.n - 1].at_us)
		return 0;
	for (size_t i = h->lines.n; line->kind == HISTORY_NODE && i-- > 0;)
		if (h->lines.items[i].kind == HISTORY_NODE)
			return h->lines.items[i].since_us != line->since_us
				       ? 0
				       : error_set(err, -EINVAL,
						   "atUs: is before the line above; is the older "
						   "file the first?");
	return error_set(err, -EINVAL, "atUs: is before the line above");
}

int history_add(struct history *h, struct slice text, struct error *err)
{
	const char *at = text.s, *end = text.s + text.n, *newline;
	unsigned n = 1;

	for (; at < end && (newline = memchr(at, '\n', (size_t)(end - at)));
	     at = newline + 1, n++) {
		struct slice one = { at, (size_t)(newline - at) };
		struct history_line line;
		struct error why = ERROR_INIT;

		if (one.n >= HISTORY_LINE_MAX)
			return error_set(err, -EINVAL, "line %u: longer than %d bytes", n,
					 HISTORY_LINE_MAX);
		if (history_read(one, &h->strings, &h->arena, &line, &why) < 0 ||
		    check_order(h, &line, &why) < 0)
			return error_set(err, why.code, "line %u: %s", n, why.msg);
		*array_add(&h->lines) = line;
	}
	if (n == 1)
		return error_set(err, -EINVAL, "line 1: there is no whole line");
	return 0;
}

void history_done(struct history *h)
{
	array_done(&h->lines);
	arena_done(&h->arena);
	intern_done(&h->strings);
}

/* ---- Writing ---- */

static void put(struct json_out *o, unsigned row, int64_t n)
{
	json_out_member_int(o, fields[row].key, n);
}

static void put_text(struct json_out *o, unsigned row, const char *text)
{
	json_out_member(o, fields[row].key, text);
}

static void put_node(struct json_out *o, const struct history_line *line)
{
	put_text(o, ROW_NODE, line->node);
	put(o, ROW_SINCE, line->since_us);
	put_text(o, ROW_SCOPE, scopes[line->scope]);
	put(o, ROW_CAP, line->cap);
	put(o, ROW_DWELL, line->dwell_ms);
	put(o, ROW_DWELL_MAX, line->dwell_max_ms);
	put(o, ROW_CALM_PERIODS, line->calm_periods);
	put(o, ROW_HEADROOM, line->headroom_us);
}

static void put_level(struct json_out *o, const struct history_line *line)
{
	put_text(o, ROW_LEVEL, levels[line->level]);
	json_out_member_bool(o, fields[ROW_IS_CUT].key, line->is_cut);
}

static void put_pod(struct json_out *o, const struct history_line *line)
{
	const struct budget *b = &line->budget;
	char cores[CPUSET_TEXT], recovery[RECOVERY_TEXT];

	put_text(o, ROW_NAMESPACE, line->ns);
	put_text(o, ROW_NAME, line->name);
	put_text(o, ROW_CRITICALITY, criticalities[b->criticality]);
	put(o, ROW_PRIORITY, line->priority);
	put(o, ROW_PERIOD, b->period);
	put(o, ROW_LOW, b->low);
	if (b->medium)
		put(o, ROW_MEDIUM, b->medium);
	put(o, ROW_HI, b->hi);
	put(o, ROW_FLOOR, b->floor);
	put_text(o, ROW_CORES, cpuset_format(&line->cores, cores));
	put_text(o, ROW_ENFORCEMENT, enforcements[line->enforcement]);
	json_out_given(o, fields[ROW_RECOVERY].key, recovery_format(&line->recovery, recovery));
	put_level(o, line);
}

static void put_use(struct json_out *o, const struct history_line *line)
{
	put_text(o, ROW_CONTAINER, line->container);
	put(o, ROW_SHARE, line->share);
	put(o, ROW_SPAN, line->span_us);
	put(o, ROW_RUNTIME, line->runtime_us);
	json_out_key(o, fields[ROW_USES].key);
	json_out_array(o);
	for (size_t i = 0; i < line->n_uses; i++) {
		json_out_array(o);
		json_out_int(o, line->uses[i].us);
		json_out_int(o, line->uses[i].periods);
		json_out_end(o);
	}
	json_out_end(o);
}

void history_write(const struct history_line *line, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };
	uint64_t own = members[line->kind];

	json_out_object(&o);
	put_text(&o, ROW_KIND, kinds[line->kind]);
	put(&o, ROW_AT, line->at_us);
	if (own & BIT(ROW_UID))
		put_text(&o, ROW_UID, line->uid);
	if (line->kind == HISTORY_NODE)
		put_node(&o, line);
	else if (line->kind == HISTORY_POD)
		put_pod(&o, line);
	else if (line->kind == HISTORY_LEVEL)
		put_level(&o, line);
	else if (line->kind == HISTORY_USE)
		put_use(&o, line);
	if (own & BIT(ROW_USED))
		put(&o, ROW_USED, line->used_us);
	if (own & BIT(ROW_COUNT))
		put(&o, ROW_COUNT, line->count);
	json_out_end(&o);
	str_addc(out, '\n');
}
