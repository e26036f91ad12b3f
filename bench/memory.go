package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// usage is how much memory API and worker have, in MiB.
type usage struct{ api, worker float64 }

// memory is how much memory API and worker have just now.
func (r *rig) memory() (now usage, err error) {
	if now.api, err = resident(r.stack.API[0].PID()); err == nil {
		now.worker, err = resident(r.stack.Worker[0].PID())
	}
	return now, err
}

// memoryInterval is how often the memory of the programs is looked at.
const memoryInterval = 50 * time.Millisecond

// watchMemory looks at the memory of API and worker until the function it returns
// is called, which returns the most that each had.
func (r *rig) watchMemory() func() usage {
	var peak usage
	look := func() {
		// A process that is gone fails what it was doing, which is told there.
		if now, err := r.memory(); err == nil {
			peak = usage{max(peak.api, now.api), max(peak.worker, now.worker)}
		}
	}
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(memoryInterval)
		defer tick.Stop()
		for look(); ; look() {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	})
	return func() usage {
		close(stop)
		group.Wait()
		look()
		return peak
	}
}

// resident is the resident memory of a process in MiB, as Linux tells it.
func resident(pid int) (float64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(text)[0], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("process %d does not tell its memory", pid)
}
