package model
import ("testing";"collbench/collectives";"collbench/collectives/algorithms")
func BenchmarkOne(b *testing.B){
 m,_:=Named("generic")
 for _,name:=range []string{"ring","tree","sharp","nvls+sharp","halving-doubling"}{ a,_:=algorithms.Find(name)
  b.Run(name,func(b *testing.B){ for b.Loop(){
  s,_:=collectives.NewShape(collectives.AllReduce,131072,0,1<<30,collectives.Float32); s.Chunks=a.DefaultChunks(collectives.AllReduce,1<<30); s.Local=8
  if _,err:=Price(a,s,4,m);err!=nil{b.Fatal(err)} }})
 }
}
func BenchmarkNV(b *testing.B){
 m,_:=Named("generic")
 a,_:=algorithms.Find("nvls")
  for b.Loop(){
  s,_:=collectives.NewShape(collectives.AllReduce,131072,0,1<<30,collectives.Float32); s.Chunks=a.DefaultChunks(collectives.AllReduce,1<<30)
  if _,err:=Price(a,s,4,m);err!=nil{b.Fatal(err)} }
}
