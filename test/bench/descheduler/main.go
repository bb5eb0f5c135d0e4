// SPDX-License-Identifier: Apache-2.0

// descheduler FILE THRESHOLD TARGET: what LowNodeUtilization of the descheduler would evict of a
// snapshot, in this order, one namespace/name a line. Its use is that of metrics.k8s.io, nodes are
// asked whether pods fit, and an eviction that a PodDisruptionBudget does not allow is refused, as
// the API server does it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	v1 "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"
	"k8s.io/metrics/pkg/apis/metrics/v1beta1"
	fakemetrics "k8s.io/metrics/pkg/client/clientset/versioned/fake"
	"sigs.k8s.io/descheduler/pkg/api"
	"sigs.k8s.io/descheduler/pkg/descheduler/evictions"
	"sigs.k8s.io/descheduler/pkg/descheduler/metricscollector"
	"sigs.k8s.io/descheduler/pkg/framework/plugins/defaultevictor"
	"sigs.k8s.io/descheduler/pkg/framework/plugins/nodeutilization"
	frameworktesting "sigs.k8s.io/descheduler/pkg/framework/testing"
	frameworktypes "sigs.k8s.io/descheduler/pkg/framework/types"
)

type snapshot struct {
	nodes       []*v1.Node
	pods        map[string]*v1.Pod
	budgets     []*policy.PodDisruptionBudget
	nodeMetrics []*v1beta1.NodeMetrics
	podMetrics  []*v1beta1.PodMetrics
}

func (s *snapshot) add(text json.RawMessage) error {
	var meta metav1.TypeMeta
	if err := json.Unmarshal(text, &meta); err != nil {
		return err
	}
	switch meta.Kind {
	case "Node":
		s.nodes = append(s.nodes, new(v1.Node))
		return json.Unmarshal(text, s.nodes[len(s.nodes)-1])
	case "Pod":
		pod := new(v1.Pod)
		err := json.Unmarshal(text, pod)
		s.pods[pod.Namespace+"/"+pod.Name] = pod
		return err
	case "PodDisruptionBudget":
		s.budgets = append(s.budgets, new(policy.PodDisruptionBudget))
		return json.Unmarshal(text, s.budgets[len(s.budgets)-1])
	case "NodeMetrics":
		s.nodeMetrics = append(s.nodeMetrics, new(v1beta1.NodeMetrics))
		return json.Unmarshal(text, s.nodeMetrics[len(s.nodeMetrics)-1])
	case "PodMetrics":
		s.podMetrics = append(s.podMetrics, new(v1beta1.PodMetrics))
		return json.Unmarshal(text, s.podMetrics[len(s.podMetrics)-1])
	}
	return nil
}

func read(path string) (*snapshot, error) {
	var list struct{ Items []json.RawMessage }
	s := &snapshot{pods: map[string]*v1.Pod{}}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	for i := 0; err == nil && i < len(list.Items); i++ {
		err = s.add(list.Items[i])
	}
	return s, err
}

// allows counts an eviction for its budgets; a pod that several cover is refused.
func (s *snapshot) allows(pod *v1.Pod) bool {
	var covering []*policy.PodDisruptionBudget
	for _, b := range s.budgets {
		selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err == nil && b.Namespace == pod.Namespace && selector.Matches(labels.Set(pod.Labels)) {
			covering = append(covering, b)
		}
	}
	if len(covering) == 0 {
		return true
	}
	if len(covering) > 1 || covering[0].Status.DisruptionsAllowed <= 0 {
		return false
	}
	covering[0].Status.DisruptionsAllowed--
	return true
}

func (s *snapshot) client() *fake.Clientset {
	var objects []runtime.Object
	for _, n := range s.nodes {
		objects = append(objects, n)
	}
	for _, p := range s.pods {
		objects = append(objects, p)
	}
	client := fake.NewSimpleClientset(objects...)
	client.PrependReactor("create", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if a.GetSubresource() != "eviction" {
			return false, nil, nil
		}
		eviction := a.(clienttesting.CreateAction).GetObject().(*policy.Eviction)
		key := eviction.Namespace + "/" + eviction.Name
		if !s.allows(s.pods[key]) {
			return true, nil, apierrors.NewTooManyRequests("disruption budget", 1)
		}
		fmt.Println(key)
		return true, nil, nil
	})
	return client
}

func (s *snapshot) metrics() (*fakemetrics.Clientset, error) {
	client := fakemetrics.NewSimpleClientset()
	for _, m := range s.nodeMetrics {
		gvr := schema.GroupVersionResource{Group: "metrics.k8s.io", Version: "v1beta1", Resource: "nodes"}
		if err := client.Tracker().Create(gvr, m, ""); err != nil {
			return nil, err
		}
	}
	for _, m := range s.podMetrics {
		gvr := schema.GroupVersionResource{Group: "metrics.k8s.io", Version: "v1beta1", Resource: "pods"}
		if err := client.Tracker().Create(gvr, m, m.Namespace); err != nil {
			return nil, err
		}
	}
	return client, nil
}

func balance(ctx context.Context, s *snapshot, threshold, target float64) error {
	evictor := defaultevictor.DefaultEvictorArgs{NodeFit: true}
	handle, _, err := frameworktesting.InitFrameworkHandle(ctx, s.client(), evictions.NewOptions(), evictor, nil)
	if err != nil {
		return err
	}
	metrics, err := s.metrics()
	if err != nil {
		return err
	}
	nodes := handle.SharedInformerFactory().Core().V1().Nodes()
	collector := metricscollector.NewMetricsCollector(nodes.Lister(), metrics, labels.Everything())
	handle.SharedInformerFactory().Start(ctx.Done())
	handle.SharedInformerFactory().WaitForCacheSync(ctx.Done())
	if err := collector.Collect(ctx); err != nil {
		return err
	}
	handle.MetricsCollectorImpl = collector
	limits := func(percent float64) api.ResourceThresholds {
		share := api.Percentage(percent)
		return api.ResourceThresholds{v1.ResourceCPU: share, v1.ResourceMemory: share}
	}
	plugin, err := nodeutilization.NewLowNodeUtilization(ctx, &nodeutilization.LowNodeUtilizationArgs{
		Thresholds:         limits(threshold),
		TargetThresholds:   limits(target),
		MetricsUtilization: &nodeutilization.MetricsUtilization{Source: api.KubernetesMetrics},
	}, handle)
	if err != nil {
		return err
	}
	status := plugin.(frameworktypes.BalancePlugin).Balance(ctx, s.nodes)
	if status != nil {
		return status.Err
	}
	return nil
}

func main() {
	klog.SetOutput(os.Stderr)
	klog.LogToStderr(false)
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: descheduler FILE THRESHOLD TARGET")
		os.Exit(2)
	}
	threshold, _ := strconv.ParseFloat(os.Args[2], 64)
	target, _ := strconv.ParseFloat(os.Args[3], 64)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, err := read(os.Args[1])
	if err == nil {
		err = balance(ctx, s, threshold, target)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
