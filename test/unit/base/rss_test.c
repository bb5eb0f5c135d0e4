/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rss.h"

#include <sys/mman.h>

#include "test/unit/test.h"

enum { SIZE = 32 << 20 };

/* The kernel keeps counters per CPU, so a few pages may be missing. */
TEST(what_is_touched_counts)
{
	const uint64_t most = SIZE - SIZE / 8;
	uint64_t before = rss_now();

	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	for (size_t i = 0; i < SIZE; i += 4096)
		p[i] = 1;
	uint64_t with = rss_now();
	munmap(p, SIZE);
	assert_true(with >= before + most);
	assert_true(rss_now() + most <= with);
	assert_true(rss_peak() + SIZE / 8 >= with);
}
