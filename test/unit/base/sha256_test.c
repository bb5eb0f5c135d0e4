/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#include <string.h>

#include "test/unit/test.h"

/* The examples of NIST (FIPS 180-4 and its "Examples with Intermediate Values"), and the empty
 * message. */
static const struct {
	const char *message, *hex;
} vectors[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
	  "lmnopqrsmnopqrstnopqrstu",
	  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
};

TEST(nist_vectors)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct sha256 h = SHA256_INIT;
		char hex[SHA256_HEX];

		sha256_add(&h, vectors[i].message, strlen(vectors[i].message));
		sha256_finish_hex(&h, hex);
		assert_string_equal(hex, vectors[i].hex);
	}
}

TEST(a_million_letters)
{
	struct sha256 h = SHA256_INIT;
	char hex[SHA256_HEX], letters[1000];

	memset(letters, 'a', sizeof(letters));
	for (int i = 0; i < 1000; i++)
		sha256_add(&h, letters, sizeof(letters));
	sha256_finish_hex(&h, hex);
	assert_string_equal(hex,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(pieces_do_not_matter)
{
	char text[200], whole[SHA256_HEX], parts[SHA256_HEX];

	for (size_t n = 0; n < sizeof(text); n++) {
		struct sha256 a = SHA256_INIT, b = SHA256_INIT;

		text[n] = (char)('a' + n % 26);
		sha256_add(&a, text, n);
		for (size_t i = 0; i < n; i += 7)
			sha256_add(&b, text + i, n - i < 7 ? n - i : 7);
		sha256_finish_hex(&a, whole);
		sha256_finish_hex(&b, parts);
		assert_string_equal(whole, parts);
	}
}
