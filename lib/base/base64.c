/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <stdint.h>

/* 0 to 63, or -1. */
static int digit_of(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Adds the bytes of a group in which `n` of the four digits were there. */
static void add_group(struct str *out, uint32_t bits, unsigned n)
{
	unsigned char bytes[3] = { (unsigned char)(bits >> 16), (unsigned char)(bits >> 8),
				   (unsigned char)bits };

	str_addn(out, bytes, n - 1);
}

bool base64_decode(const char *s, size_t n, struct str *out)
{
	size_t before = out->n;
	uint32_t bits = 0;
	unsigned digits = 0, pads = 0;
	bool is_right = true;

	for (size_t i = 0; i < n && is_right; i++) {
		int digit = digit_of((unsigned char)s[i]);

		if (s[i] == '\n' || s[i] == '\r')
			continue;
		if (s[i] == '=') {
			is_right = digits + ++pads <= 4 && digits >= 2;
			continue;
		}
		is_right = digit >= 0 && pads == 0;
		bits = bits << 6 | (uint32_t)(digit & 63);
		if (is_right && ++digits == 4) {
			add_group(out, bits, 4);
			digits = bits = 0;
		}
	}
	if (is_right && digits > 0) {
		is_right = digits + pads == 4;
		if (is_right)
			add_group(out, bits << 6 * pads, digits);
	}
	if (!is_right || out->is_full)
		str_cut(out, before);
	return is_right && !out->is_full;
}

void base64_encode(const void *s, size_t n, struct str *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = s;

	for (; n > 0; n -= n < 3 ? n : 3, p += 3) {
		uint32_t bits = (uint32_t)p[0] << 16 | (uint32_t)(n > 1 ? p[1] : 0) << 8 |
				(n > 2 ? p[2] : 0);

		str_addc(out, digits[bits >> 18]);
		str_addc(out, digits[bits >> 12 & 63]);
		str_addc(out, (char)(n > 1 ? digits[bits >> 6 & 63] : '='));
		str_addc(out, (char)(n > 2 ? digits[bits & 63] : '='));
	}
}
