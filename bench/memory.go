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

// grown is how much memory a process had at first and at most, in MiB.
type grown struct{ idle, peak float64 }

// memoryInterval is how often the memory of the programs is looked at.
const memoryInterval = 50 * time.Millisecond

// watchMemory looks at the resident memory of API and worker until the function
// it returns is called.
func (r *rig) watchMemory() (func() (api, worker grown), error) {
	pids := [2]int{r.stack.API.PID(), r.stack.Worker.PID()}
	var seen [2]grown
	for i, pid := range pids {
		now, err := resident(pid)
		if err != nil {
			return nil, err
		}
		seen[i] = grown{idle: now, peak: now}
	}
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(memoryInterval)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			for i, pid := range pids {
				// A process that is gone fails what it was doing, which is told there.
				if now, err := resident(pid); err == nil {
					seen[i].peak = max(seen[i].peak, now)
				}
			}
		}
	})
	return func() (api, worker grown) {
		close(stop)
		group.Wait()
		return seen[0], seen[1]
	}, nil
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
