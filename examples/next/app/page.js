export default function Page() {
  return <p>POST pictures to /score.</p>;
}
