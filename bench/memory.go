package main

import (
	"sync"
	"time"
)

// usage is how much memory API and worker have, in MiB.
type usage struct{ api, worker float64 }

// memory is how much memory API and worker have just now.
func (r *rig) memory() (now usage, err error) {
	if now.api, err = r.stack.API[0].Resident(); err == nil {
		now.worker, err = r.stack.Worker[0].Resident()
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
