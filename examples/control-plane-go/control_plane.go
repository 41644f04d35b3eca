// Pauses a VM and resumes it. Standard library only.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

// Problem is an answer that is no success. Outcome: not-sent, refused or unknown.
type Problem struct {
	Code, Outcome, Detail string
}

func (p *Problem) Error() string { return fmt.Sprintf("%s (%s): %s", p.Code, p.Outcome, p.Detail) }

func variable(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

var (
	url   = variable("GATEWAY_URL", "http://127.0.0.1:8080")
	token = variable("GATEWAY_TOKEN", "")
)

// ask opens a resource. The caller closes the body of the answer.
func ask(method, path, body string, headers map[string]string) (*http.Response, error) {
	request, err := http.NewRequest(method, url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 {
		defer answer.Body.Close()
		problem := &Problem{Code: answer.Status}
		_ = json.NewDecoder(answer.Body).Decode(problem)
		return nil, problem
	}
	return answer, nil
}

// run runs a command and returns the headers of its answer.
func run(vm, command string, headers map[string]string) (http.Header, error) {
	answer, err := ask("POST", "/v1/vms/"+vm+"/qmp/"+command, "{}", headers)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.Header, err
}

func control(vm string) error {
	answer, err := ask("GET", "/v1/vms", "", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var list struct {
		Cursor string
		Vms    []struct{ ID, State, RunState string }
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		return err
	}
	for _, row := range list.Vms {
		fmt.Println(row.ID, row.State, row.RunState)
	}

	// The same key makes a repetition after a lost answer safe: it gets the first answer and runs nothing.
	key := map[string]string{"Idempotency-Key": fmt.Sprintf("pause-%d", time.Now().UnixNano())}
	if _, err := run(vm, "stop", key); err != nil {
		return err
	}
	headers, err := run(vm, "stop", key)
	if err != nil {
		return err
	}
	fmt.Println("paused; the repetition ran nothing:", headers.Get("Idempotency-Replayed") == "true")
	if _, err := run(vm, "cont", nil); err != nil {
		return err
	}

	// From the cursor of the list on: nothing that happened since is missed.
	path := "/v1/vms/" + vm + "/events?event=RESUME&after=" + list.Cursor
	stream, err := ask("GET", path, "", map[string]string{"Accept": "application/x-ndjson"})
	if err != nil {
		return err
	}
	defer stream.Body.Close()
	line, err := bufio.NewReader(stream.Body).ReadBytes('\n')
	if err != nil {
		return err
	}
	var event struct{ Event string }
	if err := json.Unmarshal(line, &event); err != nil {
		return err
	}
	fmt.Println("event", event.Event)
	return nil
}

func main() {
	vm := "web-1"
	if len(os.Args) > 1 {
		vm = os.Args[1]
	}
	if err := control(vm); err != nil {
		log.Fatal(err)
	}
}
