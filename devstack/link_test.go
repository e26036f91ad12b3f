package devstack

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// echoing answers each line with its name and the line, until the client ends.
func echoing(t *testing.T, name string) net.Listener {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", hostPort(0))
	require.NoError(t, err)
	var serving sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = connection.Close() }()
				lines := bufio.NewScanner(connection)
				for lines.Scan() {
					_, _ = fmt.Fprintln(connection, name, lines.Text())
				}
				_, _ = fmt.Fprintln(connection, name, "ends")
			})
		}
	})
	return listener
}

// talk is a connection through a link.
type talk struct {
	t          *testing.T
	connection *net.TCPConn
	lines      *bufio.Reader
}

func through(t *testing.T, link *Link) *talk {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", link.Address())
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	require.NoError(t, connection.SetDeadline(time.Now().Add(time.Minute)))
	return &talk{t: t, connection: connection.(*net.TCPConn), lines: bufio.NewReader(connection)}
}

func (c *talk) say(line string) {
	c.t.Helper()
	_, err := fmt.Fprintln(c.connection, line)
	require.NoError(c.t, err)
}

func (c *talk) hear() string {
	c.t.Helper()
	line, err := c.lines.ReadString('\n')
	require.NoError(c.t, err)
	return line
}

func (c *talk) broken() {
	c.t.Helper()
	_, err := c.lines.ReadString('\n')
	require.Error(c.t, err)
	require.NotErrorIs(c.t, err, context.DeadlineExceeded)
	require.NotErrorIs(c.t, err, io.EOF, "it breaks, and does not look whole")
}

// turnedAway fails the test unless a new connection through the link breaks, be it
// while it is made.
func turnedAway(t *testing.T, link *Link) {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", link.Address())
	if err != nil {
		require.ErrorIs(t, err, syscall.ECONNRESET)
		return
	}
	defer func() { _ = connection.Close() }()
	require.NoError(t, connection.SetDeadline(time.Now().Add(time.Minute)))
	_, err = connection.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

func startLink(t *testing.T, targets ...string) *Link {
	t.Helper()
	link, err := StartLink(t.Context(), hostPort(0), targets...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, link.Stop(context.WithoutCancel(t.Context()))) })
	return link
}

func TestALinkTakesTurnsAndPassesOverWhoIsGone(t *testing.T) {
	t.Parallel()
	one, two := echoing(t, "one"), echoing(t, "two")
	gone := echoing(t, "gone")
	require.NoError(t, gone.Close())
	link := startLink(t, one.Addr().String(), gone.Addr().String(), two.Addr().String())
	heard := map[string]int{}
	for range 6 {
		c := through(t, link)
		c.say("x")
		heard[c.hear()]++
	}
	require.Equal(t, map[string]int{"one x\n": 2, "two x\n": 4}, heard)

	require.NoError(t, one.Close())
	require.NoError(t, two.Close())
	turnedAway(t, link)
}

func TestALinkHandsAnEndOnAndLetsTheAnswerPass(t *testing.T) {
	t.Parallel()
	c := through(t, startLink(t, echoing(t, "one").Addr().String()))
	c.say("x")
	require.NoError(t, c.connection.CloseWrite())
	require.Equal(t, "one x\n", c.hear())
	require.Equal(t, "one ends\n", c.hear())
	_, err := c.lines.ReadString('\n')
	require.ErrorIs(t, err, io.EOF)
}

// TestAForgottenConnectionIsResetOnceOneEndHasLeft has both ends send after it was
// forgotten, since an end that sends must still be seen to leave.
func TestAForgottenConnectionIsResetOnceOneEndHasLeft(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", hostPort(0))
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	link := startLink(t, listener.Addr().String())
	link.forgottenFor = time.Millisecond
	c := through(t, link)
	target, err := listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = target.Close() })
	require.NoError(t, target.SetDeadline(time.Now().Add(time.Minute)))
	c.say("before")
	heard := bufio.NewReader(target)
	line, err := heard.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "before\n", line)
	link.Forget()
	c.say("lost")
	_, err = fmt.Fprintln(target, "lost too")
	require.NoError(t, err)
	require.NoError(t, c.connection.Close())
	_, err = heard.ReadString('\n')
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestALinkDoesHarm(t *testing.T) {
	t.Parallel()
	link := startLink(t, echoing(t, "one").Addr().String())
	open := through(t, link)
	open.say("fair")
	require.Equal(t, "one fair\n", open.hear())
	link.Cut()
	open.broken()

	link.Set(Weather{Refusing: true})
	turnedAway(t, link)

	link.Set(Weather{Silent: true})
	silent := through(t, link)
	silent.say("held")
	require.NoError(t, silent.connection.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := silent.lines.ReadString('\n')
	var late net.Error
	require.ErrorAs(t, err, &late)
	require.True(t, late.Timeout(), "nobody is told")
	require.NoError(t, silent.connection.SetReadDeadline(time.Now().Add(time.Minute)))

	const delay = 30 * time.Millisecond
	link.Set(Weather{Delay: delay})
	require.Equal(t, "one held\n", silent.hear(), "what was held passes")
	began := time.Now()
	silent.say("slow")
	require.Equal(t, "one slow\n", silent.hear())
	require.GreaterOrEqual(t, time.Since(began), 2*delay)

	link.Set(Weather{})
	link.Forget()
	silent.say("forgotten")
	fresh := through(t, link)
	fresh.say("new")
	require.Equal(t, "one new\n", fresh.hear())
	require.NoError(t, silent.connection.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err = silent.lines.ReadString('\n')
	require.ErrorAs(t, err, &late)
	require.True(t, late.Timeout(), "nobody is told")

	ending, err := StartLink(t.Context(), hostPort(0), link.Address())
	require.NoError(t, err)
	last := through(t, ending)
	require.NoError(t, ending.Stop(t.Context()))
	last.broken()
}
