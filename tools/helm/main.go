// Command helm checks a Helm chart without a cluster: with every file of values
// in its folder ci it must be without warnings for Helm's linter, give objects
// that Kubernetes' own types take without anything left over, and keep some
// rules of ours.
//
//	helm CHART SETTINGS
//
// SETTINGS is the page that lists the settings of the programs.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: helm CHART SETTINGS")
		os.Exit(2)
	}
	if err := check(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(chart, settings string) error {
	page, err := os.ReadFile(settings)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(chart, "ci", "*-values.yaml"))
	if err != nil || len(files) == 0 {
		return errors.Join(errors.New("there are no values in ci"), err)
	}
	kinds := map[string]bool{}
	var faults []error
	for _, file := range files {
		found, err := checkWith(chart, file, string(page))
		if err != nil {
			faults = append(faults, fmt.Errorf("with %s: %w", filepath.Base(file), err))
		}
		for kind := range found {
			kinds[kind] = true
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(known)) {
		if !kinds[kind] && kind != "ConfigMap" {
			faults = append(faults, fmt.Errorf("no values give a %s", kind))
		}
	}
	return errors.Join(faults...)
}

// checkWith checks the chart with one file of values and returns the kinds that
// come of it.
func checkWith(chart, file, settings string) (map[string]bool, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	if err := yaml.UnmarshalStrict(raw, &values); err != nil {
		return nil, err
	}
	var faults []error
	for _, message := range lint.RunAll(chart, values, namespace).Messages {
		// An icon is for a catalogue of charts.
		if message.Severity > support.InfoSev {
			faults = append(faults, message)
		}
	}
	kinds := map[string]bool{}
	for _, release := range releases {
		rendered, err := render(chart, release, values)
		if err != nil {
			return nil, errors.Join(append(faults, err)...)
		}
		objects, err := read(rendered)
		if err != nil {
			return nil, errors.Join(append(faults, err)...)
		}
		for _, o := range objects {
			kinds[o.kind] = true
		}
		faults = append(faults, slices.Concat(faultsOf(objects, settings), notesFaults(rendered, objects))...)
	}
	return kinds, errors.Join(faults...)
}

// releases are what the chart may be called where it is installed: as it is called
// itself, and otherwise.
var releases = []string{"gatehouse", "people"}

// namespace is where the chart goes; it decides nothing.
const namespace = "people"

// render returns the chart's files, by their names.
func render(chart, release string, values map[string]any) (map[string]string, error) {
	loaded, err := loader.Load(chart)
	if err != nil {
		return nil, err
	}
	full, err := util.ToRenderValues(loaded, values, common.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true}, nil)
	if err != nil {
		return nil, err
	}
	// Strict: a name that the values have not is an error.
	return engine.Engine{Strict: true}.Render(loaded, full)
}

// known are the kinds that the chart may have.
var known = map[string]func() any{
	"ConfigMap":               func() any { return &core.ConfigMap{} },
	"Service":                 func() any { return &core.Service{} },
	"ServiceAccount":          func() any { return &core.ServiceAccount{} },
	"Deployment":              func() any { return &apps.Deployment{} },
	"Job":                     func() any { return &batch.Job{} },
	"HorizontalPodAutoscaler": func() any { return &autoscaling.HorizontalPodAutoscaler{} },
	"PodDisruptionBudget":     func() any { return &policy.PodDisruptionBudget{} },
	"NetworkPolicy":           func() any { return &networking.NetworkPolicy{} },
	"ServiceMonitor":          func() any { return &monitoring.ServiceMonitor{} },
	"PrometheusRule":          func() any { return &monitoring.PrometheusRule{} },
}

// object is one object that was rendered.
type object struct {
	kind, name string
	value      any
}

func (o object) String() string { return o.kind + " " + o.name }

// read takes the files apart. A field that Kubernetes does not know, or that is
// of another type, is an error, as is a name that is there twice.
func read(files map[string]string) ([]object, error) {
	var objects []object
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		documents := utilyaml.NewYAMLReader(newReader(files[name]))
		for {
			raw, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			var head struct {
				meta.TypeMeta   `json:",inline"`
				meta.ObjectMeta `json:"metadata"`
			}
			if err := yaml.Unmarshal(raw, &head); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if head.Kind == "" && len(bytes.TrimSpace(raw)) == 0 || head.Kind == "" && onlyComments(raw) {
				continue
			}
			make, ok := known[head.Kind]
			if !ok {
				return nil, fmt.Errorf("%s: the kind %q is not among those that are checked", name, head.Kind)
			}
			o := object{head.Kind, head.Name, make()}
			if err := yaml.UnmarshalStrict(raw, o.value); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", name, o, err)
			}
			if seen[o.String()] {
				return nil, fmt.Errorf("%s: there are two of %s", name, o)
			}
			seen[o.String()] = true
			objects = append(objects, o)
		}
	}
	return objects, nil
}
