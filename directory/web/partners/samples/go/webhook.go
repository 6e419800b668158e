//go:build ignore

// Receive webhooks, and take those alone that the directory signed. KAPDIR_WEBHOOK_SECRET is the secret, whsec_…
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// verified reports a call that was signed with the secret less than five minutes ago.
func verified(secret string, h http.Header, body []byte) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return false
	}
	at, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", h.Get("webhook-id"), at, body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, got := range strings.Fields(h.Get("webhook-signature")) { // several while a secret is replaced
		if hmac.Equal([]byte(got), []byte(want)) {
			return true
		}
	}
	return false
}

func main() {
	http.HandleFunc("POST /kapdir", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		var notice struct{ Type string }
		if err != nil || !verified(os.Getenv("KAPDIR_WEBHOOK_SECRET"), r.Header, body) || json.Unmarshal(body, &notice) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		// Put it into a queue of your own here, under its webhook-id: the same may come twice.
		fmt.Println(notice.Type, r.Header.Get("webhook-id"))
		w.WriteHeader(http.StatusNoContent)
	})
	log.Fatal(http.ListenAndServe("localhost:"+os.Getenv("PORT"), nil))
}
