# SPDX-License-Identifier: Apache-2.0
"""Pods under PodDisruptionBudgets: the Eviction API's answer to a dry run beside our plan's."""


class Evictions:
    def __init__(self, server, ours, tell):
        self.server, self.ours, self.tell = server, ours, tell
        self.n_pods = self.n_allowed = self.n_different = 0
        self.n_documented = {}

    def run(self, seed, n_pods):
        pass
