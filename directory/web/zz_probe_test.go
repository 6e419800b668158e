package web
import ("testing";"fmt";"time";"kapdir/directory/store";"kapdir/directory/store/storetest")
func TestProbe(t *testing.T){
 for _,c:=range []store.Config{{Dir:t.TempDir()},{DSN:storetest.Postgres(t)}} {
 t0:=time.Now()
 st,_,err:=loadSteps(c,&demoClock{},nil)
 fmt.Println(err,time.Since(t0))
 h,_:=st.Head(t.Context())
 fmt.Println(h)
 st.Close()
 }
}
