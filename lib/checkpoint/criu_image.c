/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/criu_image.h"

#include <stdint.h>

#include "checkpoint/proto.h"

enum { MAGIC_BYTES = 8, LENGTH_BYTES = 4 };

/* Fields of images/fdinfo.proto and images/timerfd.proto. */
enum {
	FILE_ENTRY_TIMERFD = 12,
	TIMERFD_VALUE_S = 7,
	TIMERFD_VALUE_NS = 8,
	TIMERFD_PERIOD_S = 9,
	TIMERFD_PERIOD_NS = 10
};

static uint64_t number_of(struct slice message, uint32_t number)
{
	struct proto_field f;

	return proto_find(message, number, PROTO_VARINT, &f) ? f.value : 0;
}

static bool has_lost_its_time(struct slice timer)
{
	return number_of(timer, TIMERFD_VALUE_S) == 0 && number_of(timer, TIMERFD_VALUE_NS) == 0 &&
	       (number_of(timer, TIMERFD_PERIOD_S) || number_of(timer, TIMERFD_PERIOD_NS));
}

/* A zero is one byte, and so is a one. */
static int mend_entry(char *text, struct slice entry)
{
	struct proto_field f;
	struct slice timer = PROTO_PATH(entry, FILE_ENTRY_TIMERFD);

	if (timer.n == 0 || !has_lost_its_time(timer) ||
	    !proto_find(timer, TIMERFD_VALUE_NS, PROTO_VARINT, &f) || f.n != 1)
		return 0;
	text[f.at - entry.s] = 1;
	return 1;
}

int criu_mend_timers(char *text, size_t n, struct error *err)
{
	size_t at = MAGIC_BYTES;
	int n_mended = 0;

	if (n < MAGIC_BYTES)
		return error_set(err, -EBADMSG, CRIU_FILES ": no CRIU image");
	while (at < n) {
		const unsigned char *b = (const unsigned char *)text + at;

		if (n - at < LENGTH_BYTES)
			return error_set(err, -EBADMSG, CRIU_FILES ": is cut short");
		uint32_t length =
			b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
		at += LENGTH_BYTES;
		if (length > n - at)
			return error_set(err, -EBADMSG, CRIU_FILES ": is cut short");
		n_mended += mend_entry(text + at, (struct slice){ text + at, length });
		at += length;
	}
	return n_mended;
}
