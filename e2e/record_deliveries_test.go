package e2e_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"gatehouse/activities"
	"gatehouse/lifecycle"
	"gatehouse/workflows"
	"gatehouse/workflows/wire"
)

// TestRecordDeliveries is TestRecordHistories for what carries deliveries.
func TestRecordDeliveries(t *testing.T) {
	dir := os.Getenv(recordVariable)
	if dir == "" {
		t.Skip(recordVariable + " is not set")
	}
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	made := as(t, "admin").post("/webhooks", object{"url": receiver.URL, "events": []string{"request_made"}}).want(200).object()
	t.Cleanup(func() { stack.execute(t, `DELETE FROM webhook_endpoints WHERE id = $1`, made.id()) })
	ask(t, newSource(t, "approver.one"))
	for name, channel := range map[string]string{"delivery-mailed": "MAIL", "delivery-posted": "WEBHOOK"} {
		const of = `SELECT coalesce(max(id::text), '') FROM deliveries WHERE event = 'request_made' AND channel = $1 AND status = 'DELIVERED'`
		eventually(t, "it is delivered", func() bool { return stack.text(t, of, channel) != "" })
		id := "delivery/" + stack.text(t, of, channel)
		eventually(t, "its workflow has ended", func() bool {
			return stack.temporal.GetWorkflow(patience(t), id, "").Get(patience(t), nil) == nil
		})
		writeHistory(t, filepath.Join(dir, name+".json"), id, "")
	}

	// One that can't be tried at all is given up without a day being waited for.
	stack.killWorker(t)
	connected, err := client.Dial(client.Options{
		HostPort: stack.Temporal.Address(), Namespace: stack.Namespace(), Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(connected.Close)
	w := worker.New(connected, wire.QueueDeliveries, worker.Options{})
	workflows.RegisterDeliveries(w, &activities.Activities{
		Log: slog.New(slog.DiscardHandler), Deliveries: &activities.Deliveries{Store: refusing{}},
	})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	delivery := lifecycle.NewID()
	run, err := stack.temporal.ExecuteWorkflow(patience(t), client.StartWorkflowOptions{
		ID: wire.DeliveryWorkflowID(delivery), TaskQueue: wire.QueueDeliveries,
	}, wire.WorkflowDelivery, wire.DeliveryInput{DeliveryID: delivery, Channel: lifecycle.ByMail})
	require.NoError(t, err)
	require.NoError(t, run.Get(patience(t), nil))
	writeHistory(t, filepath.Join(dir, "delivery-given-up.json"), run.GetID(), "")
}

// refusing is a store whose answer another attempt would not change.
type refusing struct{ activities.DeliveryStore }

func (refusing) GetDelivery(context.Context, lifecycle.ID) (lifecycle.Delivery, error) {
	return lifecycle.Delivery{}, lifecycle.NewError(lifecycle.KindForbidden, "no")
}

func (refusing) GiveUpDelivery(context.Context, lifecycle.ID) (bool, error) { return true, nil }
