//go:build ignore

// Keep a copy of the directory in the file named by the first argument. Run it as often as you like: it goes on where
// it was, also after it was killed.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"time"
)

// copied is what the file holds.
type copied struct {
	Next      int64                      `json:"next"` // 0 begins; or the number of your export
	Providers map[string]json.RawMessage `json:"providers"`
}

type page struct {
	Changes []struct {
		ID       string
		Provider json.RawMessage // as it is now; without one they are removed, merged or withheld: drop them
	}
	Next int64
	More bool
}

func main() {
	file := os.Args[1]
	held := copied{Providers: map[string]json.RawMessage{}}
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &held)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Fatal(err)
	}
	for more := true; more; { // to follow for ever, ask with &wait=30 and do not stop
		p, err := fetch(held.Next)
		if err != nil {
			log.Fatal(err)
		}
		for _, c := range p.Changes {
			if c.Provider == nil {
				delete(held.Providers, c.ID)
			} else {
				held.Providers[c.ID] = c.Provider
			}
		}
		held.Next, more = p.Next, p.More
		if err := keep(file, held); err != nil { // the copy and its number, together
			log.Fatal(err)
		}
	}
	fmt.Printf("%d providers, up to change %d\n", len(held.Providers), held.Next)
}

var client = http.Client{Timeout: time.Minute}

func fetch(after int64) (p page, err error) {
	req, err := http.NewRequest("GET", fmt.Sprintf("%s/api/v1/changes?after=%d", os.Getenv("KAPDIR_SERVER"), after), nil)
	if err != nil {
		return p, err
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("KAPDIR_KEY"))
	res, err := client.Do(req)
	if err != nil {
		return p, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		problem, _ := io.ReadAll(res.Body)
		return p, fmt.Errorf("%s: %s", res.Status, problem)
	}
	return p, json.NewDecoder(res.Body).Decode(&p)
}

func keep(file string, held copied) error {
	raw, err := json.Marshal(held)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", raw, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
