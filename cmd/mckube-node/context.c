/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

int context_probe(const struct context *ctx, struct kernel *ret_kernel,
		  const struct backend **ret_backend, struct error *err)
{
	struct kernel_roots roots = {
		ctx->common->cgroup_root,
		ctx->common->proc_root,
		ctx->common->sys_root,
	};

	if (kernel_probe(&roots, ret_kernel, err) < 0)
		return err->code;
	return backend_choose(ret_kernel, ctx->common->backend, ret_backend, err);
}
