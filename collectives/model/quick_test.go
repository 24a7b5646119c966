package model
import ("testing";"fmt";"time";"collbench/collectives";"collbench/collectives/algorithms")
func TestQuick(t *testing.T){
 for _, n := range []int{2,4,8} {
 links := make([]Rates,n); for i:=range links{links[i]=Rates{12.5e6,12.5e6}}
 m,err:=Lab(links,1); if err!=nil{t.Fatal(err)}
 for _,a:=range algorithms.All{ for _,c:=range a.Collectives{
  s,_:=collectives.NewShape(c,n,0,4<<20,collectives.Float32); s.Chunks=a.DefaultChunks(c,4<<20); s.Local=1
  p,err:=Price(a,s,4,m)
  fmt.Printf("%d %-14s %-20s %8.1f ms lat %6.2f x%.4f chunks %d %s %v\n",n,c,a.Name,p.Seconds*1e3,p.Latency*1e3,p.Seconds/(4194304/12.5e6),s.Chunks,p.Bottleneck,err)
 }}}
}
func TestBig(t *testing.T){
 m,_:=Named("generic")
 for _,g:=range []int{8,72}{
 n:=131072; if g==72{n=131040}
 for _,a:=range algorithms.All{ if a.Name!="nvls"&&a.Name!="ring"&&a.Name!="nvls+sharp"||a.Name=="direct"||a.Name=="oneshot"||a.Name=="halving-doubling"||a.Name=="recursive-doubling"||a.Name=="recursive-halving"{continue}
  s,_:=collectives.NewShape(a.Collectives[0],n,0,1<<30,collectives.Float32); s.Chunks=a.DefaultChunks(a.Collectives[0],1<<30); s.Local=g
  t0:=time.Now()
  p,err:=Price(a,s,4,m)
  fmt.Printf("%d %-20s %8.3f ms lat %6.2f %v wall, %d flows %s %v\n",g,a.Name,p.Seconds*1e3,p.Latency*1e3,time.Since(t0),p.Messages,p.Bottleneck,err)
 }}
}
