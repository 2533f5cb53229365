package metrics

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// family is a metric with its name and what it means.
type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// catalogue is the list of them, for the registry.
type catalogue []*prometheus.Desc

func (c *catalogue) gauge(name, help string, labels ...string) family {
	return c.add(prometheus.GaugeValue, name, help, labels)
}

func (c *catalogue) counter(name, help string, labels ...string) family {
	return c.add(prometheus.CounterValue, name, help, labels)
}

func (c *catalogue) add(kind prometheus.ValueType, name, help string, labels []string) family {
	desc := prometheus.NewDesc(name, help, labels, nil)
	*c = append(*c, desc)
	return family{desc, kind}
}

// sample is one number. It is what prometheus.NewConstMetric makes, which has to be made of a thousand slots at once: the
// labels are shared by all samples that have the same ones.
type sample struct {
	family *family
	labels []*dto.LabelPair
	value  float64
}

// Desc is of prometheus.Metric.
func (s *sample) Desc() *prometheus.Desc { return s.family.desc }

// Write is of prometheus.Metric.
func (s *sample) Write(out *dto.Metric) error {
	out.Label = s.labels
	if s.family.kind == prometheus.CounterValue {
		out.Counter = &dto.Counter{Value: &s.value}
	} else {
		out.Gauge = &dto.Gauge{Value: &s.value}
	}
	return nil
}

// labelled makes labels of names and values in turn, sorted as the registry demands.
func labelled(pairs ...string) []*dto.LabelPair {
	all := make([]*dto.LabelPair, 0, len(pairs)/2)
	for pair := range slices.Chunk(pairs, 2) {
		all = append(all, &dto.LabelPair{Name: &pair[0], Value: &pair[1]})
	}
	slices.SortFunc(all, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	return all
}

// sink takes samples on their way to the registry.
type sink chan<- prometheus.Metric

func (to sink) put(f *family, labels []*dto.LabelPair, value float64) {
	to <- &sample{f, labels, value}
}

// choice puts 1 for the word that is, and 0 for those that could be.
func (to sink) choice(f *family, is string, could []string, labels ...string) {
	for _, word := range could {
		to.put(f, labelled(append(slices.Clone(labels), "state", word)...), truth(word == is))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
