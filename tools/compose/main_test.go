package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// good keeps every rule.
const good = `
name: test
services:
  database:
    image: registry.example:5000/postgres:17.6
    networks: {default: {ipv4_address: 172.30.0.10}}
    restart: unless-stopped
    environment:
      POSTGRES_PASSWORD: ${DATABASE_PASSWORD}
    volumes: ["data:/data", "./Dockerfile:/x:ro"]
    ports: ["127.0.0.1:5432:5432"]
    healthcheck: {test: [CMD, pg_isready]}
    deploy: {resources: {limits: {cpus: "1", memory: 1g}}}
  job:
    image: postgres:17.6
    restart: on-failure:5
    deploy: {resources: {limits: {cpus: "1", memory: 1g}}}
  program:
    image: gatehouse:local
    build: {context: ., dockerfile: Dockerfile}
    env_file: [{path: more.env, required: false}]
    read_only: true
    restart: always
    depends_on:
      database: {condition: service_healthy}
      job: {condition: service_completed_successfully}
    environment:
      GATEHOUSE_DATABASE_URL: postgres://app:${DATABASE_PASSWORD}@database/x
      GATEHOUSE_TRUSTED_PROXIES: 172.30.0.10/32
    healthcheck: {test: [CMD, api, health]}
    deploy: {resources: {limits: {cpus: "1", memory: 1g}}}
volumes: {data: {}}
networks: {default: {ipam: {config: [{subnet: 172.30.0.0/24}]}}}
`

func faultsIn(t *testing.T, file string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"docker-compose.yml": file, "Dockerfile": "FROM scratch\n", "env": "DATABASE_PASSWORD=fromTheEnvFile\n",
		"settings.md": "| `GATEHOUSE_DATABASE_URL` |\n| `GATEHOUSE_TRUSTED_PROXIES` |\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := check(context.Background(), path("docker-compose.yml"), path("env"), path("settings.md")); err != nil {
		return err.Error()
	}
	return ""
}

func TestEveryRuleFindsWhatBreaksIt(t *testing.T) {
	if faults := faultsIn(t, good); faults != "" {
		t.Fatal(faults)
	}
	for _, rule := range []struct{ old, broken, fault string }{
		{"5000/postgres:17.6", "5000/postgres", "service database: image \"registry.example:5000/postgres\" has no pinned tag"},
		{"5000/postgres:17.6", "5000/postgres:latest", "has no pinned tag"},
		{"    restart: unless-stopped\n", "", "service database: restart is not set"},
		{"    healthcheck: {test: [CMD, pg_isready]}\n", "", "service database: it runs on and has no healthcheck"},
		{"{test: [CMD, api, health]}", "{disable: true}", "service program: it runs on and has no healthcheck"},
		{"limits: {cpus: \"1\", memory: 1g}", "limits: {cpus: \"1\"}", "service database: it has no limits of cpus and memory"},
		{"    read_only: true\n", "", "service program: its files are not read-only"},
		{"{condition: service_healthy}", "{condition: service_started}", "service program: it waits for database with service_started"},
		{"{condition: service_healthy}", "{condition: service_completed_successfully}", "service program: it waits for database with service_completed_successfully"},
		{"dockerfile: Dockerfile", "dockerfile: Dockerfile.none", "no such file"},
		{"./Dockerfile:/x", "./none:/x", "no such file"},
		{"data:/data", "/data", "service database: the volume at /data has no name"},
		{"127.0.0.1:5432:5432", "5432:5432", "service database: port 5432 is published on \"\" and not on loopback"},
		{"    read_only: true", "    read_only: true\n    ports: [\"127.0.0.1:8080:8080\"]", "service program: a second copy"},
		{"    read_only: true", "    read_only: true\n    container_name: program", "service program: a second copy"},
		{"POSTGRES_PASSWORD: ${DATABASE_PASSWORD}", "POSTGRES_PASSWORD: hunter2", "service database: POSTGRES_PASSWORD holds a secret"},
		{"app:${DATABASE_PASSWORD}@", "app:hunter2@", "service program: GATEHOUSE_DATABASE_URL holds a secret"},
		{"GATEHOUSE_DATABASE_URL", "GATEHOUSE_DATABASE_URI", "service program: GATEHOUSE_DATABASE_URI is no setting"},
		{"    env_file: [{path: more.env, required: false}]\n", "", "service program: it has no file for further settings"},
		{"172.30.0.10/32", "172.30.0.10/32,172.30.0.0/24", "service program: it trusts 172.30.0.0/24, which is the address of no service"},
	} {
		if !strings.Contains(good, rule.old) {
			t.Fatalf("%q is not in the file", rule.old)
		}
		if faults := faultsIn(t, strings.Replace(good, rule.old, rule.broken, 1)); !strings.Contains(faults, rule.fault) {
			t.Errorf("%s: got %q", rule.broken, faults)
		}
	}
}
