/* SPDX-License-Identifier: Apache-2.0 */
#include "output/replay.h"

#include <stdio.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/names.h"
#include "base/units.h"
#include "output/table.h"

enum { INDENT = 4, LABEL = 14, CELL = 18 };

static const char *state_name(int state)
{
	return state == REPLAY_FLOOR ? LEVEL_NAME_FLOOR : level_name((enum level)state);
}

static void add_date(int64_t us, struct str *out)
{
	char date[DATE_TEXT];

	str_add(out, date_format(us / US_PER_S, date));
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* Parts per million as per cent, with as many places as are needed: "99.9%". */
static void add_share(uint32_t ppm, struct str *out)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u.%04u", ppm / PPM_PER_CENT, ppm % PPM_PER_CENT);

	while (text[n - 1] == '0')
		n--;
	n -= text[n - 1] == '.';
	str_addf(out, "%.*s%%", n, text);
}

/* ---- Text ---- */

void replay_where_text(const struct replay *r, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	str_addf(&text, "node %s, ", r->node);
	add_date(r->from_us, &text);
	str_add(&text, " to ");
	add_date(r->to_us, &text);
	if (r->restarts)
		str_addf(&text, ", %u restart%s of the helper", r->restarts, plural(r->restarts));
	style_add(style, out, COLOR_NONE, "%s", text.s);
	if (r->lost)
		style_add(style, out, COLOR_BAD, ", %llu line%s not written",
			  (unsigned long long)r->lost, plural(r->lost));
	str_addc(out, '\n');
}

static void add_label(const char *label, const struct style *style, struct str *out)
{
	str_addf(out, "%*s", INDENT, "");
	style_pad(style, out, COLOR_DIM, LABEL, label);
}

static void add_budget(const struct replay_pod *p, const struct style *style, struct str *out)
{
	const struct budget *b = &p->budget;
	AUTO(str_done) struct str text = STR_INIT;

	str_addf(&text, "%s, low ", criticality_name((enum level)b->criticality));
	text_add_us(&text, b->low);
	if (b->medium)
		str_add(&text, ", medium "), text_add_us(&text, b->medium);
	str_add(&text, ", hi ");
	text_add_us(&text, b->hi);
	str_add(&text, " of ");
	text_add_us(&text, b->period);
	add_label("Budget:", style, out);
	style_add(style, out, COLOR_NONE, "%s", text.s);
	str_addc(out, '\n');
}

/* In hundredths of a per cent, so that the sum is one. */
static uint32_t share_of_time(const struct replay_levels *l, int state)
{
	double all = 0;

	for (int i = 0; i < REPLAY_STATES; i++)
		all += (double)l->us[i];
	return all > 0 ? (uint32_t)((double)l->us[state] / all * PPM / 100 + 0.5) * 100 : 0;
}

/* "3 times, 99.62%" */
static void add_state(const struct replay_levels *l, int state, const struct style *style,
		      struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	str_addf(&text, "%llu time%s, ", (unsigned long long)l->times[state],
		 plural(l->times[state]));
	add_share(share_of_time(l, state), &text);
	style_pad(style, out, COLOR_NONE, CELL, text.s);
}

static bool was_in(const struct replay_pod *p, int state)
{
	const struct replay_levels *all[] = { &p->recorded, &p->replayed, &p->suggested };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i]->times[state] || all[i]->us[state])
			return true;
	return false;
}

static void add_refusals(const struct replay_pod *p, const struct style *style, struct str *out)
{
	uint64_t n = p->replayed.refusals;

	if (!n && !p->suggested.refusals)
		return;
	add_label("No room:", style, out);
	style_add(style, out, COLOR_BAD, "%llu overrun%s; with the suggestions %llu",
		  (unsigned long long)n, plural(n), (unsigned long long)p->suggested.refusals);
	str_addc(out, '\n');
}

static void add_levels(const struct replay_pod *p, const struct style *style, struct str *out)
{
	add_label("Overruns:", style, out);
	str_addf(out, "%llu\n", (unsigned long long)p->overruns);
	add_label("Levels:", style, out);
	style_pad(style, out, COLOR_DIM, CELL, "recorded");
	style_pad(style, out, COLOR_DIM, CELL, "replayed");
	style_add(style, out, COLOR_DIM, "with the suggestions, at most");
	str_addc(out, '\n');
	for (int state = 0; state < REPLAY_STATES; state++) {
		if (!was_in(p, state))
			continue;
		str_addf(out, "%*s", INDENT + 2, "");
		style_pad(style, out, COLOR_NONE, LABEL - 2, state_name(state));
		add_state(&p->recorded, state, style, out);
		add_state(&p->replayed, state, style, out);
		add_state(&p->suggested, state, style, out);
		while (out->n && out->s[out->n - 1] == ' ')
			str_cut(out, out->n - 1);
		str_addc(out, '\n');
	}
	add_refusals(p, style, out);
}

static void add_enough_line(const char *what, const struct replay_enough *e,
			    const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (e->us < 0) {
		str_add(&text, "not known: too many used all that it had");
	} else {
		text_add_us(&text, e->us);
		str_addf(&text, ", %llu period%s above", (unsigned long long)e->above,
			 plural(e->above));
	}
	str_addf(out, "%*s", INDENT + 2, "");
	style_pad(style, out, COLOR_NONE, LABEL - 2, what);
	style_add(style, out, COLOR_NONE, "%s", text.s);
	str_addc(out, '\n');
}

static void add_enough(const struct replay_pod *p, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (!p->periods)
		return;
	str_addf(&text, "%llu in which it ran, in ", (unsigned long long)p->periods);
	text_add_age(&text, p->seen_us / US_PER_S);
	if (p->at_limit)
		str_addf(&text, "; %llu used all that it had", (unsigned long long)p->at_limit);
	add_label("Periods:", style, out);
	style_add(style, out, COLOR_NONE, "%s", text.s);
	str_addc(out, '\n');
	str_addf(out, "%*s", INDENT, "");
	style_add(style, out, COLOR_DIM, "Enough:");
	str_addc(out, '\n');
	for (int i = 0; i < REPLAY_ENOUGH; i++) {
		str_clear(&text);
		str_add(&text, "for ");
		add_share(p->enough[i].within, &text);
		add_enough_line(text.s, &p->enough[i], style, out);
	}
	add_enough_line("runtime_low", &p->low, style, out);
	add_enough_line("runtime_hi", &p->hi, style, out);
}

static void add_answer(const struct replay_pod *p, struct str *out)
{
	const struct replay_enough *s = &p->suggestion;

	switch (p->answer) {
	case REPLAY_NO_USE:
		str_add(out, "none: the use of its periods was not counted, or it never ran");
		return;
	case REPLAY_TOO_FEW:
		str_addf(out, "none: %llu periods were counted, %llu are needed for ",
			 (unsigned long long)p->periods, (unsigned long long)p->needed);
		add_share(s->within, out);
		return;
	case REPLAY_AT_LIMIT:
		str_addf(out,
			 "none: %llu of %llu periods used all that it had, what they needed is not "
			 "known",
			 (unsigned long long)p->at_limit, (unsigned long long)p->periods);
		return;
	case REPLAY_TOO_LONG:
		str_add(out, "none: ");
		text_add_us(out, s->us);
		str_add(out, " would be needed, more than its period");
		return;
	case REPLAY_SUGGESTS:
		break;
	}
	str_addf(out, "runtime_low %lld us, enough for %llu of %llu periods in ", (long long)s->us,
		 (unsigned long long)(p->periods - s->above), (unsigned long long)p->periods);
	text_add_age(out, p->seen_us / US_PER_S);
}

void replay_pod_text(const struct replay_pod *p, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	add_budget(p, style, out);
	add_levels(p, style, out);
	add_enough(p, style, out);
	add_answer(p, &text);
	add_label("Suggestion:", style, out);
	style_add(style, out, p->answer == REPLAY_SUGGESTS ? COLOR_SPECIAL : COLOR_NONE, "%s",
		  text.s);
	str_addc(out, '\n');
}

void replay_text(const struct replay *r, replay_filter shown, void *arg, const struct style *style,
		 struct str *out)
{
	str_add(out, "Recorded on ");
	replay_where_text(r, style, out);
	array_each(p, &r->pods) {
		if (shown && !shown(p, arg))
			continue;
		str_addc(out, '\n');
		style_add(style, out, COLOR_BOLD, "%s/%s", p->ns, p->name);
		str_addc(out, '\n');
		replay_pod_text(p, style, out);
	}
}

/* ---- JSON ---- */

static void put_date(struct json_out *o, const char *key, int64_t us)
{
	char date[DATE_TEXT];

	json_out_member(o, key, date_format(us / US_PER_S, date));
}

static void put_levels(struct json_out *o, const char *key, const struct replay_levels *l)
{
	json_out_key(o, key);
	json_out_object(o);
	for (int state = 0; state < REPLAY_STATES; state++) {
		json_out_key(o, state_name(state));
		json_out_object(o);
		json_out_member_int(o, "times", (int64_t)l->times[state]);
		json_out_member_int(o, "us", l->us[state]);
		json_out_end(o);
	}
	json_out_member_int(o, "refusals", (int64_t)l->refusals);
	json_out_end(o);
}

static void put_enough(struct json_out *o, const struct replay_enough *e)
{
	json_out_object(o);
	if (e->within)
		json_out_member_int(o, "withinPpm", e->within);
	if (e->us >= 0) {
		json_out_member_int(o, "budgetUs", e->us);
		json_out_member_int(o, "periodsAbove", (int64_t)e->above);
	}
	json_out_end(o);
}

static void put_suggestion(struct json_out *o, const struct replay_pod *p)
{
	static const char *const answers[] = {
		[REPLAY_NO_USE] = "NoUse",	  [REPLAY_TOO_FEW] = "TooFewPeriods",
		[REPLAY_AT_LIMIT] = "AtLimit",	  [REPLAY_TOO_LONG] = "LongerThanPeriod",
		[REPLAY_SUGGESTS] = "RuntimeLow",
	};

	json_out_key(o, "suggestion");
	json_out_object(o);
	json_out_member(o, "answer", answers[p->answer]);
	json_out_member_int(o, "withinPpm", p->suggestion.within);
	json_out_member_int(o, "neededPeriods", (int64_t)p->needed);
	if (p->answer == REPLAY_SUGGESTS) {
		json_out_member_int(o, "lowUs", p->suggestion.us);
		json_out_member_int(o, "periodsAbove", (int64_t)p->suggestion.above);
	}
	json_out_end(o);
}

void replay_where_json(const struct replay *r, struct json_out *o)
{
	json_out_member(o, "node", r->node);
	put_date(o, "from", r->from_us);
	put_date(o, "to", r->to_us);
	json_out_member_int(o, "restarts", r->restarts);
	json_out_member_int(o, "lostLines", (int64_t)r->lost);
}

static void put_budget(struct json_out *o, const struct budget *b)
{
	json_out_member(o, "criticality", criticality_name((enum level)b->criticality));
	json_out_member_int(o, "periodUs", b->period);
	json_out_member_int(o, "lowUs", b->low);
	if (b->medium)
		json_out_member_int(o, "mediumUs", b->medium);
	json_out_member_int(o, "hiUs", b->hi);
	json_out_member_int(o, "floorUs", b->floor);
}

void replay_pod_json(const struct replay_pod *p, struct json_out *o)
{
	json_out_object(o);
	json_out_member(o, "namespace", p->ns);
	json_out_member(o, "name", p->name);
	json_out_member(o, "uid", p->uid);
	put_budget(o, &p->budget);
	json_out_member_int(o, "recordedUs", p->known_us);
	json_out_member_int(o, "overruns", (int64_t)p->overruns);
	put_levels(o, "recorded", &p->recorded);
	put_levels(o, "replayed", &p->replayed);
	put_levels(o, "withSuggestions", &p->suggested);
	json_out_member_int(o, "periods", (int64_t)p->periods);
	json_out_member_int(o, "periodsAtLimit", (int64_t)p->at_limit);
	json_out_member_int(o, "countedUs", p->seen_us);
	json_out_key(o, "enough");
	json_out_array(o);
	for (int i = 0; p->periods && i < REPLAY_ENOUGH; i++)
		put_enough(o, &p->enough[i]);
	json_out_end(o);
	json_out_key(o, "low");
	put_enough(o, &p->low);
	json_out_key(o, "hi");
	put_enough(o, &p->hi);
	put_suggestion(o, p);
	json_out_end(o);
}

void replay_json(const struct replay *r, replay_filter shown, void *arg, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out };

	json_out_object(&o);
	json_out_member(&o, "apiVersion", MCKUBE_API_VERSION);
	json_out_member(&o, "kind", "Replay");
	replay_where_json(r, &o);
	json_out_key(&o, "pods");
	json_out_array(&o);
	array_each(p, &r->pods)
		if (!shown || shown(p, arg))
			replay_pod_json(p, &o);
	json_out_end(&o);
	json_out_end(&o);
	str_addc(out, '\n');
}
