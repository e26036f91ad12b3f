package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// sayFunc tells the person at the terminal one line.
type sayFunc func(format string, args ...any)

// sayTo returns a sayFunc that writes whole lines to w; nil keeps silent.
func sayTo(w io.Writer) sayFunc {
	if w == nil {
		return func(string, ...any) {}
	}
	var mu sync.Mutex
	return func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintf(w, "devstack: "+format+"\n", args...)
	}
}

// backoff is the wait before a dead process is started again: first, doubled
// each time up to limit, and first again once it has run for healthy.
type backoff struct {
	first, limit, healthy time.Duration
}

var defaultBackoff = backoff{first: 500 * time.Millisecond, limit: 30 * time.Second, healthy: time.Minute}

func (b backoff) next(last, ran time.Duration) time.Duration {
	if last == 0 || ran >= b.healthy {
		return b.first
	}
	return min(2*last, b.limit)
}

// spec says what a Process runs.
type spec struct {
	name    string
	command command
	logPath string
	pidPath string
	// echo, if set, is given every line of output besides the log.
	echo func(line string)
	// ready is asked until it returns nil; pid is that of the process as it runs now.
	ready      func(ctx context.Context, pid int) error
	stopSignal syscall.Signal
	// grace is how long the process may take to stop before it is killed.
	grace   time.Duration
	backoff backoff
	say     sayFunc
}

// Process is one program of the stack. Once started it is kept running: when it
// dies it is started again, after 0.5 s at first and twice as long each time,
// up to 30 s, until Stop or Kill. Its methods may be called from any goroutine.
type Process struct {
	spec spec

	// turn lets Start, Stop and Kill follow one another.
	turn sync.Mutex

	mu       sync.Mutex
	run      *run
	restarts int
}

// run is the time between a Start and the Stop or Kill that ends it.
type run struct {
	stop chan struct{}
	// stopContext and stopSignal say how to end; set before stop is closed.
	stopContext context.Context //nolint:containedctx // handed from Stop to the supervising goroutine
	stopSignal  syscall.Signal
	done        chan struct{}
	// died is closed when the process ends before it was ready, diedErr being how.
	died    chan struct{}
	diedErr error

	mu      sync.Mutex
	current *child
	ready   bool
}

// becomeReady reports whether the process may be called ready: it may not if it
// has died and someone else answered in its place.
func (r *run) becomeReady() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.died:
		return false
	default:
		r.ready = true
		return true
	}
}

// dieUnready notes an end and reports whether it came before readiness.
func (r *run) dieUnready(err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ready {
		r.diedErr = err
		close(r.died)
	}
	return !r.ready
}

func (r *run) child() *child {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

func newProcess(s spec) *Process {
	if s.backoff == (backoff{}) {
		s.backoff = defaultBackoff
	}
	if s.stopSignal == 0 {
		s.stopSignal = syscall.SIGTERM
	}
	if s.grace == 0 {
		s.grace = 20 * time.Second
	}
	if s.say == nil {
		s.say = func(string, ...any) {}
	}
	return &Process{spec: s}
}

// LogPath is the file that takes its output. It is appended to.
func (p *Process) LogPath() string { return p.spec.logPath }

// Restarts counts how often it was started again after a death that nobody
// asked for.
func (p *Process) Restarts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.restarts
}

// PID is the process's number, or 0 if it does not run at this moment.
func (p *Process) PID() int {
	p.mu.Lock()
	r := p.run
	p.mu.Unlock()
	if r == nil {
		return 0
	}
	c := r.child()
	if c == nil {
		return 0
	}
	select {
	case <-c.done:
		return 0
	default:
		return c.pid
	}
}

// Start starts the process and returns when it is ready. A process that ends
// before it is ready is an error that quotes the end of its log; so is ctx
// ending first. After an error nothing is left running.
func (p *Process) Start(ctx context.Context) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.mu.Lock()
	if p.run != nil {
		p.mu.Unlock()
		return fmt.Errorf("%s runs already", p.spec.name)
	}
	r := &run{stop: make(chan struct{}), done: make(chan struct{}), died: make(chan struct{})}
	p.run = r
	p.mu.Unlock()
	go p.supervise(r)

	err := p.waitReady(ctx, r)
	if err != nil {
		p.finish(context.WithoutCancel(ctx), p.spec.stopSignal)
	}
	return err
}

func (p *Process) waitReady(ctx context.Context, r *run) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	last := errors.New("it has not answered")
	for {
		select {
		case <-r.died:
			return fmt.Errorf("%s ended before it was ready (%s)%s", p.spec.name, describeEnd(r.diedErr), p.logTail())
		case <-ctx.Done():
			return fmt.Errorf("%s did not get ready: %w (%w)%s", p.spec.name, last, ctx.Err(), p.logTail())
		case <-ticker.C:
		}
		c := r.child()
		if c == nil {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := p.spec.ready(limited, c.pid)
		cancel()
		if err == nil && r.becomeReady() {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
	}
}

// Stop asks the process to end and returns when it is gone; it is killed when
// it takes longer than its grace or ctx ends. It is not started again. Stopping
// what does not run is no error.
func (p *Process) Stop(ctx context.Context) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.finish(ctx, p.spec.stopSignal)
	return nil
}

// Kill ends the process with SIGKILL, as a crash would, and leaves it dead
// until Start.
func (p *Process) Kill() error {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.finish(context.Background(), syscall.SIGKILL)
	return nil
}

// Signal sends a signal and changes nothing else: a process that dies of it is
// started again.
func (p *Process) Signal(signal syscall.Signal) error {
	p.mu.Lock()
	r := p.run
	p.mu.Unlock()
	if r == nil {
		return fmt.Errorf("%s does not run", p.spec.name)
	}
	c := r.child()
	if c == nil {
		return fmt.Errorf("%s does not run", p.spec.name)
	}
	c.signal(signal)
	return nil
}

// finish ends the run, if there is one, and waits for its end.
func (p *Process) finish(ctx context.Context, signal syscall.Signal) {
	p.mu.Lock()
	r := p.run
	p.mu.Unlock()
	if r == nil {
		return
	}
	r.stopContext, r.stopSignal = ctx, signal
	close(r.stop)
	<-r.done
	p.mu.Lock()
	p.run = nil
	p.mu.Unlock()
}

// supervise keeps the process running until the run is stopped.
func (p *Process) supervise(r *run) {
	defer close(r.done)
	var wait time.Duration
	for {
		started := time.Now()
		ended := p.runOnce(r)
		select {
		case <-r.stop:
			return
		default:
		}
		if r.dieUnready(ended) {
			return
		}
		wait = p.spec.backoff.next(wait, time.Since(started))
		p.spec.say("%s ended (%s); starting it again in %s; its log is %s",
			p.spec.name, describeEnd(ended), wait.Round(time.Millisecond), p.spec.logPath)
		timer := time.NewTimer(wait)
		select {
		case <-r.stop:
			timer.Stop()
			return
		case <-timer.C:
		}
		p.mu.Lock()
		p.restarts++
		p.mu.Unlock()
	}
}

// runOnce starts the process and returns how it ended, or how it failed to start.
func (p *Process) runOnce(r *run) error {
	output, closeLog, err := p.openLog()
	if err != nil {
		return err
	}
	defer closeLog()
	c := p.spec.command
	c.output = output
	running, err := startChild(c)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.current = running
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.current = nil
		r.mu.Unlock()
	}()
	if p.spec.pidPath != "" {
		line := strings.Join(append([]string{c.path}, c.args...), " ")
		if err := writePID(p.spec.pidPath, running.pid, line); err != nil {
			p.spec.say("%s: %v", p.spec.name, err)
		}
		defer func() { _ = os.Remove(p.spec.pidPath) }()
	}
	select {
	case <-running.done:
	case <-r.stop:
		running.end(r.stopContext, r.stopSignal, p.spec.grace)
	}
	return running.err
}

const (
	keepLog = 10 << 20 // bytes; a longer log is moved aside at the next start
	tailLog = 4 << 10  // bytes of log that an error may quote
)

func (p *Process) openLog() (io.Writer, func(), error) {
	if err := os.MkdirAll(filepath.Dir(p.spec.logPath), 0o750); err != nil {
		return nil, nil, err
	}
	if info, err := os.Stat(p.spec.logPath); err == nil && info.Size() > keepLog {
		if err := os.Rename(p.spec.logPath, p.spec.logPath+".1"); err != nil {
			return nil, nil, err
		}
	}
	file, err := os.OpenFile(p.spec.logPath, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	closeFile := func() { _ = file.Close() }
	if p.spec.echo == nil {
		return file, closeFile, nil
	}
	return &lineWriter{file: file, line: p.spec.echo}, closeFile, nil
}

// logTail is the end of the log for an error, on lines of its own.
func (p *Process) logTail() string { return tailOf(p.spec.logPath) }

func tailOf(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil && info.Size() > tailLog {
		_, _ = file.Seek(-tailLog, io.SeekEnd)
	}
	raw, err := io.ReadAll(io.LimitReader(file, tailLog))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	lines = lines[max(0, len(lines)-12):]
	if len(lines) == 1 && lines[0] == "" {
		return "; its log " + path + " is empty"
	}
	return "; the end of " + path + ":\n    " + strings.Join(lines, "\n    ")
}

// lineWriter writes all to a file and hands whole lines on.
type lineWriter struct {
	file    *os.File
	line    func(string)
	partial []byte
}

// longestLine bounds what is kept of a line that does not end.
const longestLine = 64 << 10

func (w *lineWriter) Write(data []byte) (int, error) {
	n, err := w.file.Write(data)
	w.partial = append(w.partial, data...)
	for {
		line, rest, found := strings.Cut(string(w.partial), "\n")
		if !found {
			break
		}
		w.line(line)
		w.partial = []byte(rest)
	}
	if len(w.partial) > longestLine {
		w.partial = w.partial[:0]
	}
	return n, err
}
