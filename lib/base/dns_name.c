/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dns_name.h"

bool is_dns_label(const char *s, size_t n)
{
	if (n == 0 || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= '0' && s[i] <= '9') && s[i] != '-')
			return false;
	return true;
}

/* A part may be longer than a label here: only the whole is limited. */
bool is_dns_subdomain(const char *s, size_t n)
{
	char last = '.';

	if (n == 0 || n > 253)
		return false;
	for (size_t i = 0; i < n; last = s[i++]) {
		bool is_alnum = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');
		bool is_good = s[i] == '-'   ? last != '.'
			       : s[i] == '.' ? last != '.' && last != '-'
					     : is_alnum;

		if (!is_good)
			return false;
	}
	return last != '.' && last != '-';
}
