// Command oidc-provider is the OIDC provider that tests log in at: the example
// server of github.com/zitadel/oidc, on loopback, with access tokens that are
// JWTs and say who their user is.
//
//	oidc-provider PORT USERS-FILE
//
// The file of users is the example server's. A user with IsAdmin is in the group
// "admins". The client "web" has the secret "secret" and the redirect URI
// http://127.0.0.1/callback; "sid1" with the secret "verysecret" is an
// application. Keys are made at the start.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "oidc-provider:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("a port and a file of users are needed")
	}
	users, err := storage.StoreFromFile(args[1])
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", args[0]))
	if err != nil {
		return err
	}
	storage.RegisterClients(storage.WebClient("web", "secret", "http://127.0.0.1/callback"))
	provider := exampleop.SetupServer("http://"+listener.Addr().String(),
		&keeper{storage.NewStorage(users), users}, slog.New(slog.NewTextHandler(os.Stderr, nil)), false)
	server := &http.Server{Handler: provider, ReadHeaderTimeout: 5 * time.Second}
	return server.Serve(listener)
}

// keeper is the example's storage, but for what access tokens look like.
type keeper struct {
	*storage.Storage
	users storage.UserStore
}

// GetClientByClientID implements op.Storage.
func (k *keeper) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	client, err := k.Storage.GetClientByClientID(ctx, id)
	return selfContained{client}, err
}

// ClientCredentials implements op.ClientCredentialsStorage.
func (k *keeper) ClientCredentials(ctx context.Context, id, secret string) (op.Client, error) {
	client, err := k.Storage.ClientCredentials(ctx, id, secret)
	return selfContained{client}, err
}

// selfContained is a client whose access tokens are JWTs, with any scope.
type selfContained struct{ op.Client }

// AccessTokenType implements op.Client.
func (selfContained) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

// IsScopeAllowed implements op.Client.
func (selfContained) IsScopeAllowed(string) bool { return true }

// GetPrivateClaimsFromScopes implements op.Storage.
func (k *keeper) GetPrivateClaimsFromScopes(ctx context.Context, user, client string, scopes []string) (map[string]any, error) {
	claims, err := k.Storage.GetPrivateClaimsFromScopes(ctx, user, client, scopes)
	if claims == nil {
		claims = map[string]any{}
	}
	claims["scp"] = scopes
	if known := k.users.GetUserByID(user); known != nil {
		claims["preferred_username"] = known.Username
		groups := []string{"everyone"}
		if known.IsAdmin {
			groups = append(groups, "admins")
		}
		claims["realm"] = map[string]any{"groups": groups}
	}
	return claims, err
}
