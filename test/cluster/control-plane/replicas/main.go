// SPDX-License-Identifier: Apache-2.0

// Random workloads, and how many replicas the HorizontalPodAutoscaler's own calculator gives each:
//
//	replicas SEED COUNT
//
// writes {"snapshot": List, "wanted": {"namespace": number, or -1 where it gives an error}}. Each
// workload is a namespace with a Deployment, its pods, their PodMetrics and a WorkloadOptimizer with
// one metric. test/scheduler/replicas builds it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"kubectl-mckube/test/cluster/control-plane/replicas/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

type object = map[string]any

// What the metrics APIs say.
type client struct {
	resources metrics.PodMetricsInfo
	value     int64
}

func (c *client) GetResourceMetric(context.Context, v1.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	if len(c.resources) == 0 {
		return nil, time.Time{}, errors.New("no metrics")
	}
	return c.resources, now, nil
}

func (c *client) GetRawMetric(string, string, labels.Selector, labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errors.New("not asked for")
}

func (c *client) GetObjectMetric(string, string, *autoscaling.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	return 0, time.Time{}, errors.New("not asked for")
}

func (c *client) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	if c.value < 0 {
		return nil, time.Time{}, errors.New("no value")
	}
	return []int64{c.value}, now, nil
}

type workload struct {
	r    *rand.Rand
	name string
	// what pods of this workload are like
	use, spread int64
	oddness     int
	pods        []*v1.Pod
	metrics     metrics.PodMetricsInfo
	items       []object
	resource    v1.ResourceName
}

func (w *workload) chance(percent int) bool { return w.r.Intn(100) < percent }

func (w *workload) ago(seconds int) metav1.Time {
	return metav1.NewTime(now.Add(-time.Duration(seconds) * time.Second))
}

// Times around those at which the calculator changes its mind.
func (w *workload) age() int {
	around := []int{0, 30, 60, 299, 300, 301, 330, 3600}
	return around[w.r.Intn(len(around))] + w.r.Intn(3)
}

func (w *workload) container(name string, request int64, isUnasked bool) v1.Container {
	c := v1.Container{Name: name, Image: "c"}
	if !isUnasked {
		c.Resources.Requests = v1.ResourceList{w.resource: w.quantity(request)}
	}
	return c
}

func (w *workload) quantity(n int64) resource.Quantity {
	if w.resource == v1.ResourceCPU {
		return *resource.NewMilliQuantity(n, resource.DecimalSI)
	}
	return *resource.NewQuantity(n<<10, resource.BinarySI)
}

func (w *workload) pod(i int, isUnasked bool) *v1.Pod {
	always := v1.ContainerRestartPolicyAlways
	started := w.age()
	p := &v1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("p%d", i), Namespace: w.name, Labels: map[string]string{"app": w.name}},
		Status:     v1.PodStatus{Phase: v1.PodRunning},
	}
	for k := 0; k <= w.r.Intn(2); k++ {
		p.Spec.Containers = append(p.Spec.Containers, w.container(fmt.Sprintf("c%d", k), 50+int64(w.r.Intn(300)), isUnasked && k == 0))
	}
	if w.chance(15) {
		c := w.container("init", 5000, false)
		if w.chance(50) {
			c = w.container("sidecar", 40, false)
			c.RestartPolicy = &always
		}
		p.Spec.InitContainers = []v1.Container{c}
	}
	if w.chance(w.oddness) {
		p.Status.Phase = v1.PodPending
	}
	if !w.chance(w.oddness / 2) {
		t := w.ago(started)
		p.Status.StartTime = &t
	}
	if !w.chance(w.oddness / 2) {
		c := v1.PodCondition{Type: v1.PodReady, Status: v1.ConditionTrue, LastTransitionTime: w.ago(w.r.Intn(started + 40))}
		if w.chance(w.oddness) {
			c.Status = []v1.ConditionStatus{v1.ConditionFalse, v1.ConditionUnknown}[w.r.Intn(2)]
		}
		p.Status.Conditions = []v1.PodCondition{c}
	}
	if w.chance(w.oddness / 3) {
		t := w.ago(5)
		p.DeletionTimestamp = &t
	}
	return p
}

func (w *workload) measure(p *v1.Pod) {
	sum, at, window := int64(0), w.ago(w.r.Intn(90)), time.Duration(10000+w.r.Intn(50000))*time.Millisecond
	containers := []object{}
	for _, c := range append(append([]v1.Container{}, p.Spec.Containers...), p.Spec.InitContainers...) {
		if c.Name == "init" {
			continue
		}
		q := w.quantity(w.use + int64(w.r.Int63n(w.spread+1)))
		sum += q.MilliValue()
		usage := object{"cpu": "1", "memory": "1Mi"}
		usage[string(w.resource)] = q.String()
		containers = append(containers, object{"name": c.Name, "usage": usage})
	}
	if w.chance(w.oddness / 3) { // one container is not measured, so the pod is not
		containers[0]["usage"] = object{}
	} else {
		w.metrics[p.Name] = metrics.PodMetric{Timestamp: at.Time, Window: window, Value: sum}
	}
	w.items = append(w.items, object{
		"apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics",
		"metadata":  object{"name": p.Name, "namespace": w.name},
		"timestamp": at.UTC().Format(time.RFC3339), "window": window.String(), "containers": containers,
	})
}

func (w *workload) add(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var o object
	if err := json.Unmarshal(text, &o); err != nil {
		panic(err)
	}
	w.items = append(w.items, o)
}

func (w *workload) lister() corelisters.PodLister {
	index := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for _, p := range w.pods {
		if err := index.Add(p); err != nil {
			panic(err)
		}
	}
	return corelisters.NewPodLister(index)
}

func (w *workload) optimizer(metric object) object {
	return object{
		"apiVersion": "kcloud.io/v1alpha1", "kind": "WorkloadOptimizer",
		"metadata": object{"name": "w", "namespace": w.name},
		"spec": object{
			"targetRef":   object{"kind": "Deployment", "name": w.name},
			"autoScaling": object{"minReplicas": 1, "maxReplicas": 1000, "metrics": []object{metric}},
		},
		// One replica was proposed before, so going down does not wait.
		"status": object{"history": []string{fmt.Sprintf("%d:1", now.Unix()-290)}},
	}
}

// The number that the calculator wants, -1.
func (w *workload) run() (object, int64) {
	current := int32(1 + w.r.Intn(12))
	n, isUnasked := int(current), w.chance(w.oddness/6)
	if w.chance(20) { // fewer or more than are asked for
		n = w.r.Intn(14)
	}
	for i := 0; i < n; i++ {
		p := w.pod(i, isUnasked && i == 0)
		w.pods = append(w.pods, p)
		w.add(p)
		if !w.chance(w.oddness) {
			w.measure(p)
		}
	}
	w.items = append(w.items, object{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": object{"name": w.name, "namespace": w.name},
		"spec": object{"replicas": current, "selector": object{"matchLabels": object{"app": w.name}},
			"template": object{"metadata": object{"labels": object{"app": w.name}}}},
	})
	return w.ask(current)
}

func (w *workload) ask(current int32) (object, int64) {
	selector := labels.SelectorFromSet(labels.Set{"app": w.name})
	c := &client{resources: w.metrics, value: -1}
	calculator := podautoscaler.NewReplicaCalculator(c, w.lister(), 300*time.Second, 30*time.Second)
	tolerances := podautoscaler.OracleTolerances(0.1, 0.1)
	ctx := context.Background()
	var wanted int32
	var err error
	metric := object{"type": string(w.resource), "threshold": 1 + w.r.Intn(160)}
	if w.chance(30) {
		threshold := 1 + w.r.Int63n(500)
		metric = object{"type": "latency", "threshold": threshold, "query": "q"}
		spec := object{"source": "prometheus", "query": "q", "at": w.ago(w.r.Intn(100)).UTC().Format(time.RFC3339)}
		if !w.chance(10) {
			c.value = threshold*1000*int64(w.r.Intn(3000))/1000 + int64(w.r.Intn(2))
			spec["value"] = strconv.FormatFloat(float64(c.value)/1000, 'f', 3, 64)
		}
		w.items = append(w.items, object{"apiVersion": "mckube.io/v1alpha1", "kind": "MetricSample",
			"metadata": object{"name": "s", "namespace": w.name}, "spec": spec})
		wanted, _, _, err = calculator.GetExternalMetricReplicas(current, threshold*1000, "q", tolerances, w.name, nil, selector)
	} else {
		wanted, _, _, _, err = calculator.GetResourceReplicas(ctx, current, int32(metric["threshold"].(int)), w.resource, tolerances, w.name, selector, "")
	}
	w.items = append(w.items, w.optimizer(metric))
	if err != nil {
		return object{"current": current, "wanted": -1}, -1
	}
	return object{"current": current, "wanted": wanted}, int64(wanted)
}

func main() {
	seed, _ := strconv.ParseInt(os.Args[1], 10, 64)
	count, _ := strconv.Atoi(os.Args[2])
	podautoscaler.OracleNow = func() time.Time { return now }
	items, wanted := []object{}, object{}
	for i := 0; i < count; i++ {
		r := rand.New(rand.NewSource(seed + int64(i)))
		w := &workload{r: r, name: fmt.Sprintf("w%d", seed+int64(i)), use: r.Int63n(300), spread: r.Int63n(200),
			oddness: []int{0, 0, 10, 30}[r.Intn(4)], metrics: metrics.PodMetricsInfo{},
			resource: []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory}[r.Intn(2)]}
		wanted[w.name], _ = w.run()
		items = append(items, w.items...)
	}
	list := object{"apiVersion": "v1", "kind": "List", "items": items,
		"metadata": object{"annotations": object{"mckube.io/taken-at": now.Format(time.RFC3339)}}}
	if err := json.NewEncoder(os.Stdout).Encode(object{"snapshot": list, "wanted": wanted}); err != nil {
		panic(err)
	}
}
