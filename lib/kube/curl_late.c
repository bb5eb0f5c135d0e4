/* SPDX-License-Identifier: Apache-2.0 */
#define CURL_DISABLE_TYPECHECK
#include "kube/curl_late.h"

#include <curl/curl.h>
#include <stdarg.h>

#include "base/array.h"
#include "base/late.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

/* Result, name, parameters, arguments; the parameters have the names of the header. */
#define FUNCTIONS(F)                                                                               \
	F(CURLcode, curl_global_init, (long flags), (flags))                                       \
	F(CURL *, curl_easy_init, (void), ())                                                      \
	F(CURLcode, curl_easy_perform, (CURL * curl), (curl))                                      \
	F(const char *, curl_easy_strerror, (CURLcode code), (code))                               \
	F(curl_version_info_data *, curl_version_info, (CURLversion age), (age))                   \
	F(CURLM *, curl_multi_init, (void), ())                                                    \
	F(CURLMcode, curl_multi_add_handle, (CURLM * multi_handle, CURL * curl_handle),            \
	  (multi_handle, curl_handle))                                                             \
	F(CURLMcode, curl_multi_remove_handle, (CURLM * multi_handle, CURL * curl_handle),         \
	  (multi_handle, curl_handle))                                                             \
	F(CURLMcode, curl_multi_assign, (CURLM * multi_handle, curl_socket_t sockfd, void *sockp), \
	  (multi_handle, sockfd, sockp))                                                           \
	F(CURLMcode, curl_multi_socket_action,                                                     \
	  (CURLM * multi_handle, curl_socket_t s, int ev_bitmask, int *running_handles),           \
	  (multi_handle, s, ev_bitmask, running_handles))                                          \
	F(CURLMcode, curl_multi_cleanup, (CURLM * multi_handle), (multi_handle))                   \
	F(CURLMsg *, curl_multi_info_read, (CURLM * multi_handle, int *msgs_in_queue),             \
	  (multi_handle, msgs_in_queue))                                                           \
	F(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *data),    \
	  (list, data))

#define VOID_FUNCTIONS(F)                           \
	F(curl_easy_cleanup, (CURL * curl), (curl)) \
	F(curl_slist_free_all, (struct curl_slist * list), (list))

/* One argument behind the option: a long, a pointer or a curl_off_t, which have the same size and
 * go the same way on the machines that we know (LP64). */
#define OPTION_FUNCTIONS(F)                                           \
	F(CURLcode, curl_easy_setopt, CURL, curl, CURLoption, option) \
	F(CURLcode, curl_easy_getinfo, CURL, curl, CURLINFO, info)    \
	F(CURLMcode, curl_multi_setopt, CURLM, multi_handle, CURLMoption, option)

_Static_assert(sizeof(long) == sizeof(void *) && sizeof(curl_off_t) == sizeof(void *), "LP64");

#define POINTER(result, name, parameters, arguments) result(*name) parameters;
#define VOID_POINTER(name, parameters, arguments)    void(*name) parameters;
#define OPTION_POINTER(result, name, type, handle, option_type, option) \
	result (*name)(type *, option_type, ...);

static struct {
	FUNCTIONS(POINTER)
	VOID_FUNCTIONS(VOID_POINTER)
	OPTION_FUNCTIONS(OPTION_POINTER)
} late;

#define ROW(result, name, ...)		      LATE_ROW(late, name),
#define VOID_ROW(name, parameters, arguments) LATE_ROW(late, name),

static const struct late_row rows[] = { FUNCTIONS(ROW) VOID_FUNCTIONS(VOID_ROW)
						OPTION_FUNCTIONS(ROW) };

int curl_late_load(struct error *err)
{
	return late_load("libcurl.so.4", "API server", rows, ARRAY_LEN(rows), &late, err);
}

#define FORWARD(result, name, parameters, arguments) \
	result name parameters                       \
	{                                            \
		return late.name arguments;          \
	}
#define VOID_FORWARD(name, parameters, arguments) \
	void name parameters                      \
	{                                         \
		late.name arguments;              \
	}
#define OPTION_FORWARD(result, name, type, handle, option_type, option) \
	result name(type *handle, option_type option, ...)              \
	{                                                               \
		va_list ap;                                             \
                                                                        \
		va_start(ap, option);                                   \
		void *value = va_arg(ap, void *);                       \
		va_end(ap);                                             \
		return late.name(handle, option, value);                \
	}

FUNCTIONS(FORWARD)
VOID_FUNCTIONS(VOID_FORWARD)
OPTION_FUNCTIONS(OPTION_FORWARD)
