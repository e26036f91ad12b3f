package devstack

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// dialTarget bounds how long a target may take to accept a connection.
	dialTarget = 5 * time.Second
	// forgottenFor is how long one end of a forgotten connection is there after the
	// other has left.
	forgottenFor = 30 * time.Second
)

// Link is a plain TCP balancer on loopback: each connection goes to the next of its
// targets that accepts one. Told to, it is a bad network as well, see [Weather].
type Link struct {
	listener net.Listener
	targets  []string
	// forgottenFor is that of the constant, but for tests.
	forgottenFor time.Duration
	serving      sync.WaitGroup
	// closing ends with the link.
	closing context.Context //nolint:containedctx // the life of the link, which the goroutines of its connections heed
	close   context.CancelFunc

	mutex sync.Mutex
	next  int
	open  map[*passage]struct{}
	now   Weather
	// changed is closed when the weather changes.
	changed chan struct{}
}

// Weather is what a [Link] does to what passes. The zero value is fair.
type Weather struct {
	// Refusing has every connection reset, those that are open and new ones.
	Refusing bool
	// Silent has nothing pass, in either direction, and nobody told: connections
	// stay, as behind a cable that was pulled.
	Silent bool
	// Delay is how long each piece of at most 32 KiB waits before it is handed on, in
	// each direction.
	Delay time.Duration
}

// StartLink starts a link at address, host:port, to targets of which there is at
// least one. It is fair until Set.
func StartLink(ctx context.Context, address string, targets ...string) (*Link, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l := &Link{listener: listener, targets: targets, forgottenFor: forgottenFor, open: map[*passage]struct{}{}, changed: make(chan struct{})}
	l.closing, l.close = context.WithCancel(context.WithoutCancel(ctx))
	l.serving.Go(l.serve)
	return l, nil
}

// Address is host:port where it listens.
func (l *Link) Address() string { return l.listener.Addr().String() }

// Stop ends the link and resets every connection.
func (l *Link) Stop(context.Context) error {
	l.close()
	err := l.listener.Close()
	l.Cut()
	l.serving.Wait()
	return err
}

// Set changes what happens to what passes from now on.
func (l *Link) Set(weather Weather) {
	l.mutex.Lock()
	l.now = weather
	close(l.changed)
	l.changed = make(chan struct{})
	l.mutex.Unlock()
	if weather.Refusing {
		l.Cut()
	}
}

// Cut resets the connections that are open. New ones are taken.
func (l *Link) Cut() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for p := range l.open {
		p.reset()
	}
}

// Forget has nothing pass any more on the connections that are open, and tells
// nobody, as where a router or a server that took over knows nothing of them. New
// ones are taken. What is sent on them is lost; an end that is left alone so is reset half
// a minute after the other left.
func (l *Link) Forget() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for p := range l.open {
		p.forget()
	}
}

func (l *Link) weather() (now Weather, changed <-chan struct{}) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.now, l.changed
}

func (l *Link) serve() {
	for {
		accepted, err := l.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // the client is gone already, or we have no descriptors left for a moment
			continue
		}
		client, ok := accepted.(*net.TCPConn)
		if !ok {
			_ = accepted.Close()
			continue
		}
		p := &passage{link: l, client: client, gone: make(chan struct{})}
		l.mutex.Lock()
		l.open[p] = struct{}{}
		l.mutex.Unlock()
		l.serving.Go(func() {
			p.carry()
			l.mutex.Lock()
			delete(l.open, p)
			l.mutex.Unlock()
		})
	}
}

// dial connects to the next target that takes it; nil if none does.
func (l *Link) dial() *net.TCPConn {
	l.mutex.Lock()
	first := l.next
	l.next = (l.next + 1) % len(l.targets)
	l.mutex.Unlock()
	for i := range l.targets {
		ctx, cancel := context.WithTimeout(l.closing, dialTarget)
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.targets[(first+i)%len(l.targets)])
		cancel()
		if target, ok := connection.(*net.TCPConn); ok && err == nil {
			return target
		}
	}
	return nil
}

// passage is one connection through a link.
type passage struct {
	link   *Link
	client *net.TCPConn
	// gone is closed when the passage is reset.
	gone chan struct{}

	mutex     sync.Mutex
	target    *net.TCPConn
	over      bool
	forgotten bool
}

func (p *passage) carry() {
	defer p.finish()
	if !p.pass() {
		if p.isForgotten() {
			_, _ = io.Copy(io.Discard, p.client)
		}
		return
	}
	target := p.link.dial()
	if target == nil || !p.connect(target) {
		p.reset()
		return
	}
	var directions sync.WaitGroup
	directions.Go(func() { p.pump(target, p.client) })
	directions.Go(func() { p.pump(p.client, target) })
	directions.Wait()
}

// connect notes the connection to the target, unless the passage was reset meanwhile.
func (p *passage) connect(target *net.TCPConn) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.over {
		_ = target.Close()
		return false
	}
	p.target = target
	return true
}

// pass waits until the weather lets a piece pass, and reports whether it may: whether
// the passage is there still and not forgotten.
func (p *passage) pass() bool {
	for {
		now, changed := p.link.weather()
		switch {
		case p.isForgotten():
			return false
		case now.Refusing:
			p.reset()
			return false
		case now.Silent:
			select {
			case <-changed:
			case <-p.gone:
				return false
			}
			continue
		case now.Delay > 0:
			return p.wait(now.Delay)
		}
		return true
	}
}

// wait waits, and reports whether the passage is there still.
func (p *passage) wait(pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.gone:
		return false
	}
}

func (p *passage) forget() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.forgotten = true
}

func (p *passage) isForgotten() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.forgotten
}

// pump carries one direction. An end is handed on as an end, so that the other
// direction may go on; a broken connection as a broken one. What can't be handed on
// ends the direction alone: an answer may still be on its way.
func (p *passage) pump(to, from *net.TCPConn) {
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			switch passes := p.pass(); {
			case p.isForgotten():
				// It is lost, but that its end leaves is still to be noticed.
			case !passes:
				return
			default:
				if _, err := to.Write(piece[:n]); err != nil {
					return
				}
			}
		}
		if err == nil {
			continue
		}
		switch passes := errors.Is(err, io.EOF) && p.pass(); {
		case p.isForgotten():
			// The one end is left as it is for as long as a system needs that looks
			// whether its connections live.
			if p.wait(p.link.forgottenFor) {
				p.reset()
			}
		case passes:
			_ = to.CloseWrite()
		case !errors.Is(err, io.EOF):
			p.reset()
		}
		return
	}
}

// reset breaks both connections so that both ends notice at once.
func (p *passage) reset() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.over {
		return
	}
	p.over = true
	close(p.gone)
	for _, connection := range []*net.TCPConn{p.client, p.target} {
		if connection != nil {
			_ = connection.SetLinger(0)
			_ = connection.Close()
		}
	}
}

// finish closes what is open still.
func (p *passage) finish() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.over {
		return
	}
	p.over = true
	close(p.gone)
	_ = p.client.Close()
	if p.target != nil {
		_ = p.target.Close()
	}
}
