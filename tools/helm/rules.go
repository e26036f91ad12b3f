package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func newReader(text string) *bufio.Reader { return bufio.NewReader(strings.NewReader(text)) }

func onlyComments(raw []byte) bool {
	for line := range bytes.Lines(raw) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && string(line) != "---" {
			return false
		}
	}
	return true
}

// all returns the values of one kind.
func all[T any](objects []object) []*T {
	var found []*T
	for _, o := range objects {
		if value, ok := o.value.(*T); ok {
			found = append(found, value)
		}
	}
	return found
}

// rules collects what is wrong.
type rules struct {
	objects  []object
	settings string
	faults   []error
}

func (r *rules) fault(about any, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf("%v: %s", about, fmt.Sprintf(format, args...)))
}

func faultsOf(objects []object, settings string) []error {
	r := &rules{objects: objects, settings: settings}
	for _, deployment := range all[apps.Deployment](objects) {
		r.deployment(deployment)
	}
	for _, job := range all[batch.Job](objects) {
		about := "Job " + job.Name
		r.pod(about, job.Spec.Template.Spec)
		r.account(about, job.Spec.Template.Spec)
		r.hook(about, job)
	}
	r.builds()
	for _, account := range all[core.ServiceAccount](objects) {
		if account.Annotations["helm.sh/hook"] != "" {
			r.fault("ServiceAccount "+account.Name, "it is made anew at each upgrade and stays behind, as hooks do")
		}
	}
	for _, m := range all[core.ConfigMap](objects) {
		for name := range m.Data {
			if secretName.MatchString(name) {
				r.fault("ConfigMap "+m.Name, "%s is a secret", name)
			}
		}
	}
	r.selectors()
	r.bounded()
	r.scaling()
	r.monitoring()
	return r.faults
}

// switches reports whether the job has Temporal hand tasks to the workers of its
// version.
func switches(job *batch.Job) bool {
	return slices.Equal(job.Spec.Template.Spec.Containers[0].Args, []string{"migrate", "deployment"})
}

// hook holds that a job goes before the pods, or after them where it waits for them.
func (r *rules) hook(about string, job *batch.Job) {
	switch hook := job.Annotations["helm.sh/hook"]; {
	case switches(job) && hook != "post-install,post-upgrade,post-rollback":
		r.fault(about, "it does not go after the pods, whichever way they change")
	case !switches(job) && hook != "pre-install,pre-upgrade":
		r.fault(about, "it does not go before the pods")
	}
}

// builds holds that workers that name their build get tasks: some job, which knows
// the build as well, must see to it.
func (r *rules) builds() {
	jobs := all[batch.Job](r.objects)
	for _, d := range all[apps.Deployment](r.objects) {
		c := d.Spec.Template.Spec.Containers[0]
		build := value(c, "GATEHOUSE_WORKER_BUILD_ID")
		told := slices.ContainsFunc(jobs, func(job *batch.Job) bool {
			return switches(job) && value(job.Spec.Template.Spec.Containers[0], "GATEHOUSE_WORKER_BUILD_ID") == build
		})
		if c.Args[0] == "worker" && build != "" && !told {
			r.fault("Deployment "+d.Name, "no job has Temporal hand tasks to the build %s", build)
		}
	}
}

// account holds that a job that goes before the ordinary objects needs no account
// that is one of them.
func (r *rules) account(about string, pod core.PodSpec) {
	for _, account := range all[core.ServiceAccount](r.objects) {
		if account.Name == pod.ServiceAccountName {
			r.fault(about, "its account %s is not there yet", account.Name)
		}
	}
}

var target = regexp.MustCompile(`\bkubectl (\w+)\b.*? deploy/(\S+)`)

// notesFaults checks what the notes have people do: by a pod that is there, which has
// the settings, the files and the rights that the chart gives it.
func notesFaults(files map[string]string, objects []object) []error {
	var faults []error
	for name, text := range files {
		if !strings.HasSuffix(name, "NOTES.txt") {
			continue
		}
		for line := range strings.Lines(text) {
			if !strings.Contains(line, "kubectl ") {
				continue
			}
			found := target.FindStringSubmatch(line)
			if found == nil || found[1] != "exec" || !slices.ContainsFunc(objects, func(o object) bool { return o.String() == "Deployment "+found[2] }) {
				faults = append(faults, fmt.Errorf("NOTES.txt: %q is run in no pod of the chart", strings.TrimSpace(line)))
			}
		}
	}
	return faults
}

var secretName = regexp.MustCompile(`(PASSWORD|SECRET|TOKEN|API_KEY|DATABASE_URL)$`)

// pod checks what holds for every pod.
func (r *rules) pod(about string, pod core.PodSpec) {
	security := pod.SecurityContext
	if security == nil || security.RunAsNonRoot == nil || !*security.RunAsNonRoot || security.SeccompProfile == nil ||
		security.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		r.fault(about, "it may run as root or call what it likes")
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		r.fault(about, "it has a token of Kubernetes, which it does not need")
	}
	for _, container := range slices.Concat(pod.InitContainers, pod.Containers) {
		r.container(about+", container "+container.Name, container, pod.Volumes)
	}
}

func (r *rules) container(about string, container core.Container, volumes []core.Volume) {
	if name := container.Image[strings.LastIndex(container.Image, "/")+1:]; !strings.Contains(name, ":") || strings.HasSuffix(name, ":latest") {
		r.fault(about, "the image %q has no pinned tag", container.Image)
	}
	if s := container.SecurityContext; s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
		s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Capabilities == nil ||
		!slices.Contains(s.Capabilities.Drop, "ALL") {
		r.fault(about, "it may write to its files or gain rights")
	}
	if container.Resources.Limits.Memory().IsZero() || container.Resources.Requests.Cpu().IsZero() || container.Resources.Requests.Memory().IsZero() {
		r.fault(about, "it lacks requests or a limit of memory")
	}
	seen := map[string]bool{}
	for _, variable := range container.Env {
		switch {
		case !strings.Contains(r.settings, "`"+variable.Name+"`"):
			r.fault(about, "%s is no setting", variable.Name)
		case seen[variable.Name]:
			r.fault(about, "%s is set twice", variable.Name)
		case secretName.MatchString(variable.Name) && variable.Value != "":
			r.fault(about, "%s is a secret and stands in the pod", variable.Name)
		case (strings.HasSuffix(variable.Name, "_FILE") || strings.HasSuffix(variable.Name, "_DIR")) && !mounted(variable.Value, container.VolumeMounts):
			r.fault(about, "%s names a file that is not mounted", variable.Name)
		}
		seen[variable.Name] = true
	}
	for _, mount := range container.VolumeMounts {
		if !slices.ContainsFunc(volumes, func(v core.Volume) bool { return v.Name == mount.Name }) {
			r.fault(about, "there is no volume %s", mount.Name)
		}
		if mount.SubPath != "" {
			r.fault(about, "%s is mounted by subPath, which is never replaced", mount.Name)
		}
	}
}

func mounted(path string, mounts []core.VolumeMount) bool {
	return slices.ContainsFunc(mounts, func(m core.VolumeMount) bool { return strings.HasPrefix(path+"/", m.MountPath+"/") })
}

// value is a variable's, which the pod holds itself.
func value(container core.Container, name string) string {
	for _, variable := range container.Env {
		if variable.Name == name {
			return variable.Value
		}
	}
	return ""
}

// deployment checks what holds for a program that runs on.
func (r *rules) deployment(d *apps.Deployment) {
	about, pod := "Deployment "+d.Name, d.Spec.Template.Spec
	r.pod(about, pod)
	if len(pod.TopologySpreadConstraints) == 0 {
		r.fault(about, "its pods may all be on one machine")
	}
	for _, constraint := range pod.TopologySpreadConstraints {
		if !selects(constraint.LabelSelector, d.Spec.Template.Labels) {
			r.fault(about, "it spreads other pods than its own")
		}
	}
	if !selects(d.Spec.Selector, d.Spec.Template.Labels) {
		r.fault(about, "it does not select its pods")
	}
	c := pod.Containers[0]
	shutdown, err := time.ParseDuration(value(c, "GATEHOUSE_SHUTDOWN_TIMEOUT"))
	if err != nil {
		r.fault(about, "GATEHOUSE_SHUTDOWN_TIMEOUT is no duration")
	}
	longest := 2 * shutdown
	if c.Args[0] == "api" {
		longest = shutdown
		if c.Lifecycle == nil || c.Lifecycle.PreStop == nil || c.Lifecycle.PreStop.Sleep == nil {
			r.fault(about, "it stops while balancers still send calls")
		} else {
			longest += time.Duration(c.Lifecycle.PreStop.Sleep.Seconds) * time.Second
		}
	}
	if grace := pod.TerminationGracePeriodSeconds; grace == nil || time.Duration(*grace)*time.Second <= longest {
		r.fault(about, "it is killed before it has stopped, which takes up to %s", longest)
	}
	r.ports(about, c)
	for name, probe := range map[string]*core.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
		switch {
		case probe == nil || probe.HTTPGet == nil:
			r.fault(about, "it has no %s probe", name)
		case probe.HTTPGet.Path != "/healthz" && (probe.HTTPGet.Path != "/readyz" || name != "readiness"):
			r.fault(about, "the %s probe asks for %s", name, probe.HTTPGet.Path)
		case !named(c, probe.HTTPGet.Port):
			r.fault(about, "the %s probe asks at port %s, which there is not", name, probe.HTTPGet.Port.String())
		}
	}
}

// ports holds that the program listens where the pod says it does.
func (r *rules) ports(about string, c core.Container) {
	addresses := map[string]string{"metrics": "GATEHOUSE_WORKER_METRICS_ADDRESS"}
	if c.Args[0] == "api" {
		addresses = map[string]string{"http": "GATEHOUSE_API_ADDRESS", "metrics": "GATEHOUSE_API_METRICS_ADDRESS"}
	}
	for name, variable := range addresses {
		host, port, err := net.SplitHostPort(value(c, variable))
		found := slices.ContainsFunc(c.Ports, func(p core.ContainerPort) bool {
			return p.Name == name && strconv.Itoa(int(p.ContainerPort)) == port
		})
		if err != nil || host != "" || !found {
			r.fault(about, "%s and the port %s differ", variable, name)
		}
	}
}

func named(c core.Container, port intstr.IntOrString) bool {
	return slices.ContainsFunc(c.Ports, func(p core.ContainerPort) bool { return p.Name == port.StrVal })
}

func selects(selector *meta.LabelSelector, set map[string]string) bool {
	parsed, err := meta.LabelSelectorAsSelector(selector)
	return err == nil && !parsed.Empty() && parsed.Matches(labels.Set(set))
}

// only returns the one deployment whose pods are selected.
func (r *rules) only(about string, selector *meta.LabelSelector) (*apps.Deployment, bool) {
	var found []*apps.Deployment
	for _, d := range all[apps.Deployment](r.objects) {
		if selects(selector, d.Spec.Template.Labels) {
			found = append(found, d)
		}
	}
	if len(found) != 1 {
		r.fault(about, "it selects the pods of %d deployments", len(found))
		return nil, false
	}
	return found[0], true
}

func (r *rules) selectors() {
	for _, service := range all[core.Service](r.objects) {
		about := "Service " + service.Name
		d, ok := r.only(about, &meta.LabelSelector{MatchLabels: service.Spec.Selector})
		for _, port := range service.Spec.Ports {
			if ok && !named(d.Spec.Template.Spec.Containers[0], port.TargetPort) {
				r.fault(about, "there is no port %s", port.TargetPort.String())
			}
			if port.TargetPort.StrVal == "metrics" && service.Spec.ClusterIP != core.ClusterIPNone {
				r.fault(about, "it shows the metrics to clients")
			}
		}
	}
	for _, budget := range all[policy.PodDisruptionBudget](r.objects) {
		r.only("PodDisruptionBudget "+budget.Name, budget.Spec.Selector)
	}
	for _, p := range all[networking.NetworkPolicy](r.objects) {
		about := "NetworkPolicy " + p.Name
		r.egress(about, p)
		if len(p.Spec.Ingress) == 0 {
			continue // jobs, which nobody calls
		}
		d, ok := r.only(about, &p.Spec.PodSelector)
		for _, rule := range p.Spec.Ingress {
			if len(rule.Ports) == 0 {
				r.fault(about, "it lets calls in to every port")
			}
			for _, port := range rule.Ports {
				if ok && !named(d.Spec.Template.Spec.Containers[0], *port.Port) {
					r.fault(about, "there is no port %s", port.Port.String())
				}
				if port.Port.StrVal == "metrics" && len(rule.From) == 0 {
					r.fault(about, "it shows the metrics to everybody")
				}
			}
		}
	}
}

// egress holds that pods which may not call everybody may ask for names: whoever
// serves those may do so at either port.
func (r *rules) egress(about string, p *networking.NetworkPolicy) {
	if !slices.Contains(p.Spec.PolicyTypes, networking.PolicyTypeEgress) {
		return
	}
	for _, port := range []int32{53, 5353} {
		for _, protocol := range []core.Protocol{core.ProtocolUDP, core.ProtocolTCP} {
			open := slices.ContainsFunc(p.Spec.Egress, func(rule networking.NetworkPolicyEgressRule) bool {
				return len(rule.To) == 0 && slices.ContainsFunc(rule.Ports, func(at networking.NetworkPolicyPort) bool {
					return at.Port.IntVal == port && *at.Protocol == protocol
				})
			})
			if !open {
				r.fault(about, "its pods can't ask for names at %d by %s", port, protocol)
			}
		}
	}
}

// bounded holds that where programs may not call everybody, jobs may not either.
func (r *rules) bounded() {
	policies := all[networking.NetworkPolicy](r.objects)
	restricts := func(p *networking.NetworkPolicy) bool {
		return slices.Contains(p.Spec.PolicyTypes, networking.PolicyTypeEgress)
	}
	if !slices.ContainsFunc(policies, restricts) {
		return
	}
	for _, job := range all[batch.Job](r.objects) {
		if !slices.ContainsFunc(policies, func(p *networking.NetworkPolicy) bool {
			return restricts(p) && selects(&p.Spec.PodSelector, job.Spec.Template.Labels)
		}) {
			r.fault("Job "+job.Name, "it may call everybody, though programs may not")
		}
	}
}

func (r *rules) scaling() {
	scaled := map[string]bool{}
	for _, h := range all[autoscaling.HorizontalPodAutoscaler](r.objects) {
		scaled[h.Spec.ScaleTargetRef.Name] = true
		if h.Spec.MinReplicas == nil || *h.Spec.MinReplicas > h.Spec.MaxReplicas {
			r.fault("HorizontalPodAutoscaler "+h.Name, "min is more than max")
		}
	}
	for _, d := range all[apps.Deployment](r.objects) {
		if scaled[d.Name] == (d.Spec.Replicas != nil) {
			r.fault("Deployment "+d.Name, "its replicas are set by both it and the autoscaler, or by neither")
		}
		delete(scaled, d.Name)
	}
	for name := range scaled {
		r.fault("HorizontalPodAutoscaler", "there is no deployment %s", name)
	}
}

func (r *rules) monitoring() {
	for _, monitor := range all[monitoring.ServiceMonitor](r.objects) {
		about, found := "ServiceMonitor "+monitor.Name, 0
		for _, service := range all[core.Service](r.objects) {
			if !selects(&monitor.Spec.Selector, service.Labels) {
				continue
			}
			found++
			if job := service.Labels[monitor.Spec.JobLabel]; !strings.HasPrefix(job, "gatehouse-") {
				r.fault(about, "the job of %s is called %q, and alerts go by those that begin with gatehouse-", service.Name, job)
			}
			for _, endpoint := range monitor.Spec.Endpoints {
				if !slices.ContainsFunc(service.Spec.Ports, func(p core.ServicePort) bool { return p.Name == endpoint.Port }) {
					r.fault(about, "%s has no port %s", service.Name, endpoint.Port)
				}
			}
		}
		if deployments := len(all[apps.Deployment](r.objects)); found != deployments {
			r.fault(about, "it finds the metrics of %d programs of %d", found, deployments)
		}
	}
	for _, rule := range all[monitoring.PrometheusRule](r.objects) {
		if len(rule.Spec.Groups) == 0 {
			r.faults = append(r.faults, errors.New("PrometheusRule "+rule.Name+": it holds no rules"))
		}
	}
}
