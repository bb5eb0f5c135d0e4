/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_SHA256_H
#define MCKUBE_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* SHA-256 (FIPS 180-4), 150 to 300 MB/s. OpenSSL would cost each start more than it saves: 12 MB
 *are hashed for the names and versions of 150,000 pods, and a few hundred bytes for a plan.
 *
 *	struct sha256 h = SHA256_INIT;
 *	sha256_add(&h, data, n);	any number of times
 *	sha256_finish(&h, digest);	h is of no further use
 */
enum { SHA256_SIZE = 32, SHA256_HEX = 2 * SHA256_SIZE + 1 };

struct sha256 {
	uint32_t state[8];
	uint64_t n_bytes;
	unsigned char block[64];
};

#define SHA256_INIT                                                          \
	{                                                                    \
		.state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,   \
			   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 }, \
	}

void sha256_add(struct sha256 *h, const void *data, size_t n);
void sha256_finish(struct sha256 *h, unsigned char digest[static SHA256_SIZE]);

/* Lower-case hex with a NUL. */
void sha256_finish_hex(struct sha256 *h, char hex[static SHA256_HEX]);

#endif
