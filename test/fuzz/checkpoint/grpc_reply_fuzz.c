/* SPDX-License-Identifier: Apache-2.0 */
/* A reply of containerd: headers, frame, fields. */
#include <stdint.h>
#include <stdlib.h>

#include "checkpoint/grpc.h"
#include "checkpoint/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct slice text = { (const char *)data, n };
	struct grpc_trailer t = { .status = -1, .message = STR_INIT };
	struct slice message;
	struct error err = ERROR_INIT;
	struct proto_field f;

	grpc_take_header(&t, text);
	str_done(&t.message);
	if (grpc_unframe(text, &message, &err) < 0)
		message = text;
	PROTO_PATH(message, 1, 2, 3);
	while (proto_next(&message, &f) == 1)
		if (f.at < text.s || f.at + f.n > text.s + text.n || f.bytes.n > n)
			abort();
	return 0;
}
