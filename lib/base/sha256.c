/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#include <string.h>

/* FIPS 180-4, 4.2.2. */
static const uint32_t round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load_be(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store_be(unsigned char *p, uint64_t v, int n)
{
	while (n-- > 0) {
		p[n] = (unsigned char)v;
		v >>= 8;
	}
}

static void schedule(const unsigned char *block, uint32_t w[static 64])
{
	for (size_t i = 0; i < 16; i++)
		w[i] = load_be(block + 4 * i);
	for (int i = 16; i < 64; i++) {
		uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
}

/* One round; what is eight variables in the standard stays in place, and their names move on. */
static inline void round_step(uint32_t v[static 8], int i, uint32_t word)
{
	uint32_t *a = &v[(64 - i) & 7], b = v[(65 - i) & 7], c = v[(66 - i) & 7];
	uint32_t *d = &v[(67 - i) & 7], e = v[(68 - i) & 7], f = v[(69 - i) & 7];
	uint32_t g = v[(70 - i) & 7], *h = &v[(71 - i) & 7];
	uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
	uint32_t t1 = *h + s1 + ((e & f) ^ (~e & g)) + round_constants[i] + word;
	uint32_t s0 = rotate(*a, 2) ^ rotate(*a, 13) ^ rotate(*a, 22);

	*d += t1;
	*h = t1 + s0 + ((*a & b) ^ (*a & c) ^ (b & c));
}

static void add_block(uint32_t state[static 8], const unsigned char *block)
{
	uint32_t w[64], v[8];

	schedule(block, w);
	memcpy(v, state, sizeof(v));
#pragma GCC unroll 64
	for (int i = 0; i < 64; i++)
		round_step(v, i, w[i]);
	for (int i = 0; i < 8; i++)
		state[i] += v[i];
}

void sha256_add(struct sha256 *h, const void *data, size_t n)
{
	const unsigned char *p = data;
	size_t have = h->n_bytes % sizeof(h->block);

	h->n_bytes += n;
	if (have) {
		size_t take = sizeof(h->block) - have < n ? sizeof(h->block) - have : n;

		memcpy(h->block + have, p, take);
		p += take;
		n -= take;
		if (have + take < sizeof(h->block))
			return;
		add_block(h->state, h->block);
	}
	for (; n >= sizeof(h->block); p += sizeof(h->block), n -= sizeof(h->block))
		add_block(h->state, p);
	if (n)
		memcpy(h->block, p, n);
}

void sha256_finish(struct sha256 *h, unsigned char digest[static SHA256_SIZE])
{
	unsigned char tail[72] = { 0x80 };
	uint64_t n_bits = h->n_bytes * 8;
	size_t pad = 64 - (h->n_bytes + 8) % 64;

	store_be(tail + pad, n_bits, 8);
	sha256_add(h, tail, pad + 8);
	for (size_t i = 0; i < 8; i++)
		store_be(digest + 4 * i, h->state[i], 4);
}

void sha256_finish_hex(struct sha256 *h, char hex[static SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[SHA256_SIZE];

	sha256_finish(h, digest);
	for (size_t i = 0; i < SHA256_SIZE; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[SHA256_HEX - 1] = '\0';
}
