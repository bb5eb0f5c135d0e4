// SPDX-License-Identifier: Apache-2.0

// Lists all pods of a server in pages of 500 with client-go, keeping what our snapshot keeps of
// them: the other side of live_list.
package main

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

type pod struct {
	name, namespace, node, uid string
	labels                     map[string]string
	requests                   []corev1.ResourceList
}

func main() {
	config := &rest.Config{Host: os.Args[1], QPS: -1, DisableCompression: true}
	config.ContentType = "application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		panic(err)
	}
	var kept []pod
	options := metav1.ListOptions{Limit: 500}
	for {
		list, err := client.CoreV1().Pods("").List(context.Background(), options)
		if err != nil {
			panic(err)
		}
		for _, p := range list.Items {
			k := pod{p.Name, p.Namespace, p.Spec.NodeName, string(p.UID), p.Labels, nil}
			for _, c := range p.Spec.Containers {
				k.requests = append(k.requests, c.Resources.Requests)
			}
			kept = append(kept, k)
		}
		if options.Continue = list.Continue; options.Continue == "" {
			break
		}
	}
	fmt.Println(len(kept))
}
