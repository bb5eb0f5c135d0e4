/* SPDX-License-Identifier: Apache-2.0 */
#include "node/privilege.h"

#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(cap) ((uint64_t)1 << (cap))

static const uint64_t always = BIT(CAP_SYS_NICE) | BIT(CAP_IPC_LOCK);

struct caps {
	uint64_t effective, permitted;
};

static int get_caps(struct caps *ret, struct error *err)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		return error_errno(err, "read capabilities");
	ret->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	ret->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

static int set_caps(const struct caps *c, struct error *err)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)c->effective, .permitted = (uint32_t)c->permitted },
		{ .effective = (uint32_t)(c->effective >> 32),
		  .permitted = (uint32_t)(c->permitted >> 32) },
	};

	if (syscall(SYS_capset, &head, data) < 0)
		return error_errno(err, "drop capabilities");
	return 0;
}

int privilege_seal(struct error *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, "set no_new_privs");
	return 0;
}

bool privilege_may_continue(void)
{
	struct error ignored;
	struct caps c = { 0 };

	return get_caps(&c, &ignored) == 0 && (c.effective & BIT(CAP_KILL));
}

int privilege_drop(bool keeps_kill, bool (*needs_bpf)(void *arg), void *arg, struct error *err)
{
	const uint64_t remaining = always | (keeps_kill ? BIT(CAP_KILL) : 0);
	struct caps c = { 0 };

	if (get_caps(&c, err) < 0)
		return err->code;
	uint64_t had_bpf = c.permitted & BIT(CAP_BPF);
	c.permitted &= remaining;
	c.effective = c.permitted;
	c.permitted |= had_bpf;
	if (set_caps(&c, err) < 0)
		return err->code;
	if (had_bpf && needs_bpf && needs_bpf(arg))
		c.effective |= had_bpf;
	else
		c.permitted &= remaining;
	return set_caps(&c, err);
}
