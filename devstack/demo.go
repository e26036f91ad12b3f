package devstack

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// Login is a token of somebody in the demo organisation.
type Login struct {
	AccessToken string `json:"access_token"`
	IdentityID  string `json:"identity_id"`
}

// LogIn has somebody of the demo organisation log in at the API at base, a URL
// without a slash at its end. The error tells the status of a refusal.
func LogIn(ctx context.Context, client *http.Client, base, alias string) (login Login, err error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"demo-" + alias}, "client_secret": {"demo-" + alias + "-secret"},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return login, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := client.Do(request)
	if err != nil {
		return login, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return login, fmt.Errorf("%s can't log in: status %d", alias, response.StatusCode)
	}
	return login, json.NewDecoder(response.Body).Decode(&login)
}

// Resident returns the resident memory of the process in MiB, as Linux tells it.
func (p *Process) Resident() (float64, error) {
	pid := p.PID()
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
