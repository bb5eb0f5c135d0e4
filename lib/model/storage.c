/* SPDX-License-Identifier: Apache-2.0 */
#include "model/storage.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "model/match.h"

static str_id id_of(const struct cluster *c, const char *text)
{
	return intern_find(&c->strings, text, strlen(text));
}

static bool zone_is_among(const char *zones, const char *zone)
{
	size_t n = strlen(zone);

	for (const char *at = zones; at; at = strstr(at, "__")) {
		at += at == zones ? 0 : 2;
		const char *end = strstr(at, "__");

		if ((end ? (size_t)(end - at) : strlen(at)) == n && memcmp(at, zone, n) == 0)
			return true;
	}
	return false;
}

/* Lists with an empty name are no lists of zones: kube-scheduler passes them over. */
static bool is_zone_list(const char *zones)
{
	size_t n = strlen(zones);

	return n && strncmp(zones, "__", 2) != 0 && !strstr(zones, "____") &&
	       (n < 2 || strcmp(zones + n - 2, "__") != 0);
}

struct zone_key {
	const char *key, *newer; /* what a node may have instead */
};

static const struct zone_key zone_keys[] = {
	{ "failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone" },
	{ "failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region" },
	{ "topology.kubernetes.io/zone", "topology.kubernetes.io/zone" },
	{ "topology.kubernetes.io/region", "topology.kubernetes.io/region" },
};

static bool has_zone(const struct cluster *c, const struct node *node)
{
	for (size_t i = 0; i < ARRAY_LEN(zone_keys); i++)
		if (cluster_label(c, node->labels, id_of(c, zone_keys[i].key)) != INTERN_NONE)
			return true;
	return false;
}

/* The zone and region labels of a volume must hold on a node that has any. */
static bool zone_matches(const struct cluster *c, const struct volume *volume,
			 const struct node *node)
{
	if (volume->labels.n == 0 || !has_zone(c, node))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(zone_keys); i++) {
		str_id zones = cluster_label(c, volume->labels, id_of(c, zone_keys[i].key));
		str_id zone = cluster_label(c, node->labels, id_of(c, zone_keys[i].key));

		if (zones == INTERN_NONE || !is_zone_list(cluster_str(c, zones)))
			continue;
		if (zone == INTERN_NONE)
			zone = cluster_label(c, node->labels, id_of(c, zone_keys[i].newer));
		if (zone == INTERN_NONE ||
		    !zone_is_among(cluster_str(c, zones), cluster_str(c, zone)))
			return false;
	}
	return true;
}

static enum storage_refusal claim_refuses(const struct cluster *c, const struct claim *claim,
					  const struct node *node)
{
	if (!claim)
		return CLAIM_MISSING;
	if (claim->is_unread)
		return CLAIM_UNREAD;
	if (claim->is_lost)
		return CLAIM_LOST;
	if (claim->is_terminating)
		return CLAIM_TERMINATING;
	if (!claim->is_bound)
		return CLAIM_UNBOUND;

	const struct volume *volume = cluster_volume(c, claim->volume);
	if (!volume)
		return CLAIM_WITHOUT_VOLUME;
	if (volume->is_unread)
		return CLAIM_UNREAD;
	if (volume->has_node_affinity && !match_node_terms(c, volume->node_terms, node))
		return VOLUME_ELSEWHERE;
	return zone_matches(c, volume, node) ? STORAGE_ACCEPTS : VOLUME_OTHER_ZONE;
}

static enum storage_refusal device_refuses(const struct cluster *c,
					   const struct resource_claim *claim,
					   const struct node *node)
{
	if (!claim)
		return DEVICE_MISSING;
	if (claim->is_terminating)
		return DEVICE_TERMINATING;
	if (!claim->is_allocated)
		return DEVICE_UNALLOCATED;
	if (claim->is_full)
		return DEVICE_FULL;
	if (claim->has_node_selector && !match_node_terms(c, claim->node_terms, node))
		return DEVICE_ELSEWHERE;
	return STORAGE_ACCEPTS;
}

enum storage_refusal storage_refuses(const struct cluster *c, const struct rules *rules,
				     const struct node *node, str_id *ret_claim)
{
	enum storage_refusal r = STORAGE_ACCEPTS;

	*ret_claim = 0;
	if (rules->has_in_tree_volume)
		return VOLUME_IN_TREE;
	for (uint32_t i = 0; i < rules->claims.n && r == STORAGE_ACCEPTS; i++) {
		*ret_claim = c->names.items[rules->claims.at + i];
		r = claim_refuses(c, cluster_claim(c, rules->ns, *ret_claim), node);
	}
	for (uint32_t i = 0; i < rules->devices.n && r == STORAGE_ACCEPTS; i++) {
		*ret_claim = c->names.items[rules->devices.at + i];
		r = *ret_claim ? device_refuses(c, cluster_resource_claim(c, rules->ns, *ret_claim),
						node)
			       : DEVICE_NOT_MADE;
	}
	return r;
}

void storage_describe(const struct cluster *c, enum storage_refusal r, str_id claim, char *buf,
		      size_t size)
{
	static const char *const words[] = {
		[STORAGE_ACCEPTS] = "accepted",
		[CLAIM_MISSING] = "not found",
		[CLAIM_TERMINATING] = "it is being deleted",
		[CLAIM_LOST] = "its volume is lost",
		[CLAIM_UNBOUND] = "it is not bound",
		[CLAIM_UNREAD] = "it or its volume cannot be read",
		[CLAIM_WITHOUT_VOLUME] = "its volume is not found",
		[VOLUME_IN_TREE] = "in-tree volumes are not supported",
		[DEVICE_NOT_MADE] = "it is not created yet",
		[DEVICE_MISSING] = "not found",
		[DEVICE_TERMINATING] = "it is being deleted",
		[DEVICE_UNALLOCATED] = "it is not allocated",
		[DEVICE_FULL] = "it is reserved for too many pods",
		[VOLUME_ELSEWHERE] = "node affinity of its volume",
		[VOLUME_OTHER_ZONE] = "zone of its volume",
		[DEVICE_ELSEWHERE] = "it is allocated to another node",
	};

	snprintf(buf, size, "%s%s%s%s", claim && !storage_is_device(r) ? "claim " : "",
		 cluster_str(c, claim), claim ? ": " : "", words[r]);
}
