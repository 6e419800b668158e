//go:build ignore

// Who offers ketamine-assisted psychotherapy to patients in Colorado: each with five checks and their dates.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	server, key := os.Getenv("KAPDIR_SERVER"), os.Getenv("KAPDIR_KEY")
	req, err := http.NewRequest("GET", server+"/api/v1/providers?state=CO&care=full_kap&limit=5", nil)
	if err != nil {
		log.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK { // a problem, as RFC 9457 has it
		problem, _ := io.ReadAll(res.Body)
		log.Fatalf("%s: %s", res.Status, problem)
	}
	var answer struct {
		AsOf    string `json:"as_of"`
		Results []struct {
			Name, URL string
			Checks    []struct {
				Title, Label string
				AsOf         string `json:"as_of"`       // "" where nobody has looked
				ValidUntil   string `json:"valid_until"` // "" where nothing ends by itself
			}
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		log.Fatal(err)
	}
	fmt.Println("As it was at", answer.AsOf)
	for _, p := range answer.Results {
		fmt.Printf("%s  %s%s\n", p.Name, server, p.URL)
		for _, c := range p.Checks {
			fmt.Printf("  %s: %s (as of %s, until %s)\n", c.Title, c.Label, cmp.Or(c.AsOf, "no date"), cmp.Or(c.ValidUntil, "no date"))
		}
	}
}
