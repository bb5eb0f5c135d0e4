/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fleet.h"

static __int128 half_up(__int128 a, __int128 b)
{
	__int128 twice = 2 * a + b, q = twice / (2 * b);

	return twice < 0 && q * 2 * b != twice ? q - 1 : q;
}

int64_t fleet_power(const struct fleet_node *n, int64_t cpu_milli, int64_t capacity_milli)
{
	const struct power_curve *p = &n->curve;
	int64_t base = n->has_watts ? n->n_accelerators * n->accelerator_max / 10 : 0;

	if (capacity_milli <= 0 || p->n < 2)
		return (p->n ? p->power[0] : 0) + base;
	cpu_milli = cpu_milli < capacity_milli ? cpu_milli : capacity_milli;
	__int128 use = (__int128)cpu_milli * PPM;
	uint32_t k = 1;
	while (k + 1 < p->n && use > (__int128)p->use[k] * capacity_milli)
		k++;
	__int128 over = use - (__int128)p->use[k - 1] * capacity_milli;
	__int128 width = (__int128)(p->use[k] - p->use[k - 1]) * capacity_milli;
	return p->power[k - 1] + (int64_t)half_up((p->power[k] - p->power[k - 1]) * over, width) +
	       base;
}

int64_t fleet_power_of(const struct fleet_node *n, struct load load, int64_t cpu_milli,
		       int64_t capacity_milli, int32_t accelerator_use)
{
	int64_t idle = n->curve.n ? n->curve.power[0] : 0;
	int64_t base = n->has_watts ? n->n_accelerators * n->accelerator_max / 10 : 0;
	int64_t active = fleet_power(n, cpu_milli, capacity_milli) - idle - base;
	int64_t each = n->has_watts ? n->accelerator_max : 0;

	if (capacity_milli <= 0)
		return 0;
	/* idle * request / capacity + active * request / all, over one denominator */
	__int128 all = cpu_milli > 0 ? cpu_milli : 1;
	__int128 sum = ((__int128)idle * all + (__int128)active * capacity_milli) * load.cpu_milli;
	int64_t cpu = (int64_t)half_up(sum, all * capacity_milli);
	/* a tenth idle, and of the rest what is used */
	int64_t ppm = PPM / 10 + accelerator_use / 10 * 9;

	return cpu + (int64_t)half_up((__int128)load.accelerators * each * ppm, PPM);
}

int64_t fleet_idle_power(const struct fleet_node *n, struct load load, int64_t capacity_milli)
{
	int64_t idle = n->curve.n ? n->curve.power[0] : 0;
	int64_t each = n->has_watts ? n->accelerator_max : 0;
	int64_t n_left = n->n_accelerators - load.accelerators;
	int64_t cpu_left = capacity_milli - load.cpu_milli;

	if (capacity_milli <= 0)
		cpu_left = capacity_milli = 1;
	cpu_left = cpu_left > 0 ? cpu_left : 0;
	n_left = n_left > 0 ? n_left : 0;
	return (int64_t)half_up((__int128)idle * cpu_left, capacity_milli) + n_left * each / 10;
}

int64_t energy_cost(const struct optimise_settings *s, int64_t power)
{
	return (int64_t)half_up((__int128)power * s->energy_price * s->pue, (__int128)PPM * PPM);
}

int64_t carbon_cost(const struct optimise_settings *s, int64_t power, int64_t carbon)
{
	return (int64_t)half_up((__int128)power * carbon * s->carbon_price, (__int128)PPM * PPM);
}
