// Command compose checks a Docker Compose file without a Docker engine: it must
// load by the Compose specification, and keep some rules of ours.
//
//	compose FILE ENV-FILE SETTINGS
//
// SETTINGS is the page that lists the settings of the programs.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: compose FILE ENV-FILE SETTINGS")
		os.Exit(2)
	}
	if err := check(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// checker holds what services are checked against.
type checker struct {
	services types.Services
	// given are the values of the env file: a secret that is none of them stands
	// in the Compose file.
	given []string
	// settings is the page that lists what the programs read.
	settings string
}

func check(ctx context.Context, file, env, settings string) error {
	options, err := cli.NewProjectOptions([]string{file},
		cli.WithWorkingDirectory(filepath.Dir(file)), cli.WithEnvFiles(env), cli.WithDotEnv, cli.WithProfiles([]string{"*"}))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return err
	}
	values, err := dotenv.Read(env)
	if err != nil {
		return err
	}
	page, err := os.ReadFile(settings)
	if err != nil {
		return err
	}
	c := checker{services: project.Services, given: slices.Collect(maps.Values(values)), settings: string(page)}
	var faults []error
	for _, name := range project.ServiceNames() {
		for _, fault := range c.faultsOf(project.Services[name]) {
			faults = append(faults, fmt.Errorf("service %s: %w", name, fault))
		}
	}
	return errors.Join(faults...)
}

// faultsOf checks what the specification leaves open.
func (c checker) faultsOf(service types.ServiceConfig) []error {
	return slices.Concat(imageFaults(service), lifeFaults(service), c.orderFaults(service), fileFaults(service),
		portFaults(service), c.secretFaults(service), c.settingFaults(service), c.trustFaults(service), furtherFaults(service))
}

// lasting reports whether the service runs until it is told to stop.
func lasting(service types.ServiceConfig) bool {
	return service.Restart == types.RestartPolicyAlways || service.Restart == types.RestartPolicyUnlessStopped
}

// ours reports whether the service is a program of this repository, of which
// there may be several copies.
func ours(service types.ServiceConfig) bool { return service.Build != nil }

func imageFaults(service types.ServiceConfig) []error {
	name := service.Image[strings.LastIndex(service.Image, "/")+1:]
	if _, tag, tagged := strings.Cut(name, ":"); !tagged || tag == "latest" {
		return []error{fmt.Errorf("image %q has no pinned tag", service.Image)}
	}
	return nil
}

func lifeFaults(service types.ServiceConfig) []error {
	var faults []error
	if service.Restart == "" {
		faults = append(faults, errors.New("restart is not set"))
	}
	if check := service.HealthCheck; lasting(service) && (check == nil || check.Disable || len(check.Test) == 0) {
		faults = append(faults, errors.New("it runs on and has no healthcheck"))
	}
	limited := service.Deploy != nil && service.Deploy.Resources.Limits != nil &&
		service.Deploy.Resources.Limits.NanoCPUs > 0 && service.Deploy.Resources.Limits.MemoryBytes > 0
	if !limited {
		faults = append(faults, errors.New("it has no limits of cpus and memory"))
	}
	if ours(service) && !service.ReadOnly {
		faults = append(faults, errors.New("its files are not read-only"))
	}
	return faults
}

// orderFaults holds that a service waits until what it needs works, not only
// until it was started.
func (c checker) orderFaults(service types.ServiceConfig) []error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(service.DependsOn)) {
		runsOn := lasting(c.services[name])
		switch condition := service.DependsOn[name].Condition; {
		case condition == types.ServiceConditionHealthy && runsOn, condition == types.ServiceConditionCompletedSuccessfully && !runsOn:
		default:
			faults = append(faults, fmt.Errorf("it waits for %s with %s", name, condition))
		}
	}
	return faults
}

func fileFaults(service types.ServiceConfig) []error {
	var faults []error
	if ours(service) {
		if _, err := os.Stat(filepath.Join(service.Build.Context, service.Build.Dockerfile)); err != nil {
			faults = append(faults, err)
		}
	}
	for _, volume := range service.Volumes {
		switch {
		case volume.Type == types.VolumeTypeBind:
			if _, err := os.Stat(volume.Source); err != nil {
				faults = append(faults, err)
			}
		case volume.Source == "":
			faults = append(faults, fmt.Errorf("the volume at %s has no name", volume.Target))
		}
	}
	return faults
}

func portFaults(service types.ServiceConfig) []error {
	var faults []error
	if ours(service) && (len(service.Ports) > 0 || service.ContainerName != "") {
		faults = append(faults, errors.New("a second copy can't have the same port or name"))
	}
	for _, port := range service.Ports {
		if port.HostIP != "127.0.0.1" {
			faults = append(faults, fmt.Errorf("port %s is published on %q and not on loopback", port.Published, port.HostIP))
		}
	}
	return faults
}

var secretName = regexp.MustCompile(`(PASSWORD|PWD|SECRET|TOKEN|API_KEY)$`)

// secretFaults finds secrets that stand in the file.
func (c checker) secretFaults(service types.ServiceConfig) []error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(service.Environment)) {
		value := service.Environment[name]
		if value == nil {
			continue
		}
		secret := ""
		if secretName.MatchString(name) {
			secret = *value
		} else if at, err := url.Parse(*value); err == nil && at.User != nil {
			secret, _ = at.User.Password()
		}
		if secret != "" && !slices.Contains(c.given, secret) {
			faults = append(faults, fmt.Errorf("%s holds a secret that does not come from the env file", name))
		}
	}
	return faults
}

// settingFaults finds settings that the programs don't know.
func (c checker) settingFaults(service types.ServiceConfig) []error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(service.Environment)) {
		if ours(service) && !strings.Contains(c.settings, "`"+name+"`") {
			faults = append(faults, fmt.Errorf("%s is no setting", name))
		}
	}
	return faults
}

// trustFaults holds that what others say of where a client is is believed of
// balancers alone, each by an address that it always has: a client that comes from a
// network that is trusted has the address that it names.
func (c checker) trustFaults(service types.ServiceConfig) []error {
	var fixed []string
	for _, other := range c.services {
		for _, network := range other.Networks {
			if network != nil && network.Ipv4Address != "" {
				fixed = append(fixed, network.Ipv4Address+"/32")
			}
		}
	}
	var faults []error
	if trusted := service.Environment["GATEHOUSE_TRUSTED_PROXIES"]; trusted != nil {
		for proxy := range strings.SplitSeq(*trusted, ",") {
			if !slices.Contains(fixed, proxy) {
				faults = append(faults, fmt.Errorf("it trusts %s, which is the address of no service", proxy))
			}
		}
	}
	return faults
}

// furtherFaults holds that programs can be given settings that the Compose file does
// not name, but need not be.
func furtherFaults(service types.ServiceConfig) []error {
	if ours(service) && !slices.ContainsFunc(service.EnvFiles, func(f types.EnvFile) bool { return !bool(f.Required) }) {
		return []error{errors.New("it has no file for further settings that may be missing")}
	}
	return nil
}
