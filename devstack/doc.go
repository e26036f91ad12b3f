// Package devstack runs what Gatehouse needs on one machine: a private
// Postgres, the Temporal development server, and the programs api and worker.
// It serves `make run`, the tests and the benchmarks alike; cmd/devstack is a
// thin main around it.
//
// Everything listens on loopback only. Everything is a child process in a group
// of its own, started again with backoff when it dies, and gone when the
// launcher is gone, even if the launcher was killed: on Linux the kernel ends
// the children, elsewhere the next start finds and ends what was left behind.
//
// The package starts programs and looks at ports and files. It knows neither
// SQL drivers nor the Temporal SDK, so that a test of any layer may use it.
package devstack
