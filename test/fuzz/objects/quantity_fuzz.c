/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/quantity.h"

#include <stdlib.h>

/* Value() is MilliValue() rounded up to whole units, away from zero. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = { (const char *)data, n };
	int64_t value = 0, milli = 0;
	int a = quantity_value(text, &value), b = quantity_milli(text, &milli);

	if (b == 0 && a != 0)
		abort();
	if (b == 0 && milli > -INT64_MAX && milli < INT64_MAX &&
	    value != milli / 1000 + (milli % 1000 > 0) - (milli % 1000 < 0))
		abort();
	return 0;
}
