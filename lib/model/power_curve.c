/* SPDX-License-Identifier: Apache-2.0 */
#include "model/power_curve.h"

#include <math.h>
#include <string.h>

#include "base/decimal.h"

bool power_curve_parse(const char *text, struct power_curve *ret, bool *ret_rounded)
{
	struct power_curve p = { 0 };

	for (const char *at = text; *at;) {
		size_t pair = strcspn(at, ","), use = strcspn(at, ":");
		bool is_use_rounded, is_rounded;
		int64_t u, w;

		if (use >= pair || p.n == CURVE_POINTS ||
		    !decimal_parse(at, use, &u, &is_use_rounded) ||
		    !decimal_parse(at + use + 1, pair - use - 1, &w, &is_rounded) || w < 0 ||
		    u < 0 || u > MICRO || (p.n ? u <= p.use[p.n - 1] : u != 0))
			return false;
		*ret_rounded |= is_use_rounded || is_rounded;
		p.use[p.n] = (int32_t)u;
		p.power[p.n++] = (w + 500) / 1000;
		at += pair + (at[pair] == ',');
	}
	if (p.n < 2 || p.use[p.n - 1] != MICRO)
		return false;
	*ret = p;
	return true;
}

struct power_curve power_curve_line(int64_t idle, int64_t max)
{
	return (struct power_curve){ 2, { 0, MICRO }, { idle, max } };
}

bool power_curve_of_peaks(double k0, double k1, double k2, struct power_curve *ret)
{
	enum { STEPS = 10 };
	struct power_curve p = { .n = STEPS + 1 };

	for (int i = 0; i <= STEPS; i++) {
		double watts = k0 + k1 * exp(k2 * i * 100 / STEPS);

		if (!(watts >= 0 && watts <= (double)DECIMAL_MAX))
			return false;
		p.use[i] = i * (MICRO / STEPS);
		p.power[i] = (int64_t)(watts * 1000 + 0.5);
	}
	*ret = p;
	return true;
}
