// Command compose checks a Docker Compose file without a Docker engine: it must
// load by the Compose specification, and keep some rules of ours.
//
//	compose FILE ENV-FILE
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: compose FILE ENV-FILE")
		os.Exit(2)
	}
	if err := check(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(ctx context.Context, file, env string) error {
	options, err := cli.NewProjectOptions([]string{file},
		cli.WithWorkingDirectory(filepath.Dir(file)), cli.WithEnvFiles(env), cli.WithDotEnv, cli.WithProfiles([]string{"*"}))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for _, service := range project.Services {
		for _, fault := range faultsOf(service) {
			faults = append(faults, fmt.Errorf("service %s: %w", service.Name, fault))
		}
	}
	return errors.Join(faults...)
}

// faultsOf checks what the specification leaves open.
func faultsOf(service types.ServiceConfig) []error {
	var faults []error
	_, tag, tagged := strings.Cut(service.Image, ":")
	if !tagged || tag == "latest" {
		faults = append(faults, fmt.Errorf("image %q has no pinned tag", service.Image))
	}
	if service.Build != nil {
		if _, err := os.Stat(filepath.Join(service.Build.Context, service.Build.Dockerfile)); err != nil {
			faults = append(faults, err)
		}
	}
	for _, port := range service.Ports {
		if port.HostIP != "127.0.0.1" {
			faults = append(faults, fmt.Errorf("port %s is published on %q and not on loopback", port.Published, port.HostIP))
		}
	}
	for _, volume := range service.Volumes {
		if volume.Type != types.VolumeTypeBind {
			continue
		}
		if _, err := os.Stat(volume.Source); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}
