/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_PRICE_TABLE_H
#define MCKUBE_MODEL_PRICE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "model/power_curve.h"
#include "model/warning.h"

/* Prices and power by instance type, and power by node, as the values of a ConfigMap hold them.
 *
 * CSV, with a header of any of the columns instanceType, region, zone, capacityType, pricePerHour,
 * powerCurve, idleWatts, maxWatts, interruptionsPerMonth, carbonIntensity (grams of carbon dioxide
 * per kWh), greenShare (0 to 1); an empty field means any. A row without an instance type has the
 * last two alone, of a region or a zone, or of all nodes. Or JSON:
 * what begins with '[' is a list of {name, offerings: [{capacityType, zone, price}]}, or with Price
 * and Requirements: [{key, operator, values}] in an offering, as Karpenter's kwok provider has
 * them; what begins with '{' is Peaks' model by the names of nodes, {NODE: {k0, k1, k2}}. */

struct price_row {
	const char *type, *region, *zone, *capacity; /* "": any */
	int64_t price;				     /* micro-USD per hour; -1: not given */
	struct power_curve curve;		     /* of powerCurve, or idleWatts and maxWatts */
	int64_t interruptions; /* of a spot node in a month, ppm; -1: not given */
	int64_t carbon;	       /* micrograms of carbon dioxide per kWh; -1: not given */
	int64_t green;	       /* share of renewable energy, ppm; -1: not given */
	unsigned line;
};

struct node_power {
	const char *node;
	struct power_curve curve;
};

struct price_rows {
	struct arena arena;
	ARRAY(struct price_row) list;
	ARRAY(struct node_power) nodes;
};

/* Adds the rows of one text, and a warning about `object` ("ConfigMap ns/name") for each line that
 * cannot be read; a second row for the same things is one of them. One warning is for all numbers
 * of the text that have more than six decimal places: they are rounded. */
void price_rows_read(struct price_rows *rows, const char *text, size_t n, const char *ns,
		     const char *name, struct warnings *warnings);
void price_rows_done(struct price_rows *rows);

enum price_want { WANT_PRICE, WANT_POWER, WANT_INTERRUPTIONS, WANT_CARBON, WANT_GREEN };

/* The most specific row for a node that has what is wanted; NULL: none. */
const struct price_row *price_rows_find(const struct price_rows *rows, const char *type,
					const char *region, const char *zone, const char *capacity,
					enum price_want want);

/* The curve of the node itself; NULL: none. */
const struct power_curve *price_rows_find_node(const struct price_rows *rows, const char *node);

#endif
