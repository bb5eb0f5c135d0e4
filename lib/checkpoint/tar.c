/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/tar.h"

#include <stdio.h>
#include <string.h>

/* The header's fields; numbers are octal digits. */
struct header {
	char name[TAR_NAME_MAX], mode[8], uid[8], gid[8], size[12], time[12], sum[8], type,
		link[TAR_NAME_MAX], magic[6], version[2], rest[247];
};
_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header is one block");

enum { MODE_FILE = 0600, MODE_FOLDER = 0700, BASE_256 = 0x80, BYTE_BITS = 8, DIGITS = 11 };

static void set_size(struct header *h, int64_t size)
{
	if (size < INT64_C(1) << (3 * DIGITS)) {
		snprintf(h->size, sizeof(h->size), "%0*llo", DIGITS, (unsigned long long)size);
		return;
	}
	for (size_t i = sizeof(h->size); i-- > 0; size >>= BYTE_BITS)
		h->size[i] = (char)size;
	h->size[0] = (char)BASE_256;
}

void tar_header(const char *name, char type, int64_t size, unsigned char ret[static TAR_BLOCK])
{
	struct header h = { .type = type, .magic = "ustar", .version = { '0', '0' } };
	unsigned sum = 0;

	snprintf(h.name, sizeof(h.name), "%s", name);
	snprintf(h.mode, sizeof(h.mode), "%07o", type == TAR_FOLDER ? MODE_FOLDER : MODE_FILE);
	snprintf(h.uid, sizeof(h.uid), "%07o", 0U);
	snprintf(h.gid, sizeof(h.gid), "%07o", 0U);
	snprintf(h.time, sizeof(h.time), "%0*o", DIGITS, 0U);
	set_size(&h, size);
	/* It is summed up with blanks in the place of the sum. */
	memset(h.sum, ' ', sizeof(h.sum));
	memcpy(ret, &h, sizeof(h));
	for (int i = 0; i < TAR_BLOCK; i++)
		sum += ret[i];
	snprintf(h.sum, sizeof(h.sum), "%06o", sum);
	memcpy(ret, &h, sizeof(h));
}
